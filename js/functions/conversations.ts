import type { Conversation } from "../copilot/conversation.js";
import type { KeylessError } from "../errors/keyless-error.js";
import { chatError } from "../http/problem.js";
import { systemClock, unref } from "../platform/clock.js";

interface Kept {
  conversation: Conversation;
  caller: string;
  busy: boolean;
  timer?: unknown;
}

/** How many conversations are kept, how long, and what becomes of the others. */
export interface KeepingRules {
  max: number;
  maxPerCaller: number;
  idleMs: number;
  /** Whether what was said is deleted with the conversation. */
  forget: boolean;
}

/**
 * Conversations that can be gone on with, by the runtime's id. Of too many, the caller who has most loses the one that was idle longest, so
 * that nobody pushes out the others'.
 */
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
  take(id: string, caller: string, open: () => Conversation): Conversation {
    const kept = this.#kept.get(id) ?? { conversation: open(), caller, busy: false };
    if (kept.busy) throw sessionBusy();
    kept.busy = true;
    systemClock.clearTimeout(kept.timer);
    this.#kept.set(id, kept);
    return kept.conversation;
  }

  /** Keeps a conversation, new or taken, until it is wanted again or its time is up. */
  keep(id: string, caller: string, conversation: Conversation): void {
    const kept: Kept = { conversation, caller, busy: false };
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    kept.timer = systemClock.setTimeout(() => this.drop(id), this.#rules.idleMs);
    unref(kept.timer);
    const { max, maxPerCaller } = this.#rules;
    if ((this.#counts().get(caller) ?? 0) > maxPerCaller) this.#dropOldest(caller);
    while (this.#kept.size > max) if (!this.#dropOldest(this.#richest())) break;
  }

  /** How many each caller has. */
  #counts(among: (kept: Kept) => boolean = () => true): Map<string, number> {
    const counts = new Map<string, number>();
    for (const kept of this.#kept.values())
      if (among(kept)) counts.set(kept.caller, (counts.get(kept.caller) ?? 0) + 1);
    return counts;
  }

  /** The caller who has most; of equals the one whose use was longest ago. Nobody while all are busy. */
  #richest(): string | undefined {
    const counts = this.#counts();
    let [richest, most]: [string | undefined, number] = [undefined, 0];
    for (const caller of this.#counts(({ busy }) => !busy).keys()) {
      const count = counts.get(caller) ?? 0;
      if (count > most) [richest, most] = [caller, count];
    }
    return richest;
  }

  /** Drops the conversation of a caller's that was idle longest. Says whether there was one. */
  #dropOldest(owner: string | undefined): boolean {
    for (const [id, { caller, busy }] of this.#kept) {
      if (caller !== owner || busy) continue;
      this.drop(id);
      return true;
    }
    return false;
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

/** The conversation answers another prompt, here or in another instance. */
export function sessionBusy(): KeylessError {
  return chatError(
    "chat/session-busy",
    409,
    "The conversation is still busy with another prompt",
    "Send the next prompt when the reply is complete.",
    BUSY_RETRY_MS,
  );
}

const BUSY_RETRY_MS = 1_000;
