import { chatError } from "../chat/problem.js";
import { systemClock, unref } from "../clock.js";
import type { Conversation } from "../conversation.js";

interface Kept {
  conversation: Conversation;
  busy: boolean;
  timer?: unknown;
}

/** How many conversations are kept, how long, and what becomes of the others. */
export interface KeepingRules {
  max: number;
  idleMs: number;
  /** Whether what was said is deleted with the conversation. */
  forget: boolean;
}

/** Conversations that can be gone on with, by the runtime's id. The one that was idle longest goes first. */
export class Conversations {
  readonly #rules: KeepingRules;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();

  constructor(rules: KeepingRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** The conversation, for one turn; where it is not kept, what `open` gives. */
  take(id: string, open: () => Conversation): Conversation {
    const kept = this.#kept.get(id) ?? { conversation: open(), busy: false };
    if (kept.busy) {
      throw chatError(
        "chat/session-busy",
        409,
        "The conversation is still busy with another prompt",
        "Send the next prompt when the reply is complete.",
        BUSY_RETRY_MS,
      );
    }
    kept.busy = true;
    systemClock.clearTimeout(kept.timer);
    this.#kept.set(id, kept);
    return kept.conversation;
  }

  /** Keeps a conversation, new or taken, until it is wanted again or its time is up. */
  keep(id: string, conversation: Conversation): void {
    const kept: Kept = { conversation, busy: false };
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    kept.timer = systemClock.setTimeout(() => this.drop(id), this.#rules.idleMs);
    unref(kept.timer);
    for (const [oldest, { busy }] of this.#kept) {
      if (this.#kept.size <= this.#rules.max) break;
      if (!busy) this.drop(oldest);
    }
  }

  /** Ends a conversation that was kept. */
  drop(id: string): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    systemClock.clearTimeout(kept.timer);
    this.end(kept.conversation);
  }

  /** Ends a conversation that is not kept. */
  end(conversation: Conversation): void {
    // What cannot be ended goes with the runtime.
    conversation.close({ forget: this.#rules.forget }).catch(() => {});
  }

  /** Forgets them all; whoever owns them ends them. */
  clear(): void {
    for (const { timer } of this.#kept.values()) systemClock.clearTimeout(timer);
    this.#kept.clear();
  }
}

const BUSY_RETRY_MS = 1_000;
