import type { Conversation } from "../copilot/conversation.js";
import { sessionBusy } from "../http/problem.js";
import { systemClock, unref } from "../platform/clock.js";

interface KeptConversation {
  conversation: Conversation;
  caller: string;
  busy: boolean;
  timer?: unknown;
}

/** How many conversations are kept, for how long, and what happens to the others. */
export interface KeepingRules {
  max: number;
  maxPerCaller: number;
  idleMs: number;
  /** Whether the history is deleted with the conversation. */
  deleteHistory: boolean;
}

/**
 * Conversations that callers can continue, by the runtime's session id. If there are too many, the
 * caller with the most conversations loses the one that was idle longest, so that no caller
 * displaces those of others.
 */
export class Conversations {
  readonly #rules: KeepingRules;
  /** In order of their last use. */
  readonly #kept = new Map<string, KeptConversation>();

  constructor(rules: KeepingRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Takes a conversation for one turn. Opens it if it is not kept. */
  take(id: string, caller: string, open: () => Conversation): Conversation {
    const kept = this.#kept.get(id) ?? { conversation: open(), caller, busy: false };
    if (kept.busy) throw sessionBusy();
    kept.busy = true;
    systemClock.clearTimeout(kept.timer);
    this.#kept.set(id, kept);
    return kept.conversation;
  }

  /** Keeps a conversation, new or taken, until its next turn or until it expires. */
  keep(id: string, caller: string, conversation: Conversation): void {
    const kept: KeptConversation = { conversation, caller, busy: false };
    this.#kept.delete(id);
    this.#kept.set(id, kept);
    kept.timer = systemClock.setTimeout(() => this.drop(id), this.#rules.idleMs);
    unref(kept.timer);
    const { max, maxPerCaller } = this.#rules;
    if ((this.#counts().get(caller) ?? 0) > maxPerCaller) this.#dropOldest(caller);
    while (this.#kept.size > max) if (!this.#dropOldest(this.#busiestCaller())) break;
  }

  /** The number of conversations of each caller. */
  #counts(among: (kept: KeptConversation) => boolean = () => true): Map<string, number> {
    const counts = new Map<string, number>();
    for (const kept of this.#kept.values())
      if (among(kept)) counts.set(kept.caller, (counts.get(kept.caller) ?? 0) + 1);
    return counts;
  }

  /**
   * The caller with the most conversations, at a tie the least recent one. Undefined while all are
   * busy.
   */
  #busiestCaller(): string | undefined {
    const counts = this.#counts();
    let [busiest, most]: [string | undefined, number] = [undefined, 0];
    for (const caller of this.#counts(({ busy }) => !busy).keys()) {
      const count = counts.get(caller) ?? 0;
      if (count > most) [busiest, most] = [caller, count];
    }
    return busiest;
  }

  /** Ends the conversation of a caller that was idle longest. Returns whether there was one. */
  #dropOldest(owner: string | undefined): boolean {
    for (const [id, { caller, busy }] of this.#kept) {
      if (caller !== owner || busy) continue;
      this.drop(id);
      return true;
    }
    return false;
  }

  /** Ends a kept conversation. */
  drop(id: string): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    systemClock.clearTimeout(kept.timer);
    this.end(kept.conversation);
  }

  /** Ends a conversation that is not kept. */
  end(conversation: Conversation): void {
    // A conversation that cannot be closed ends with the runtime.
    conversation.close({ deleteHistory: this.#rules.deleteHistory }).catch(() => {});
  }

  /** Removes all conversations without ending them. */
  clear(): void {
    for (const { timer } of this.#kept.values()) systemClock.clearTimeout(timer);
    this.#kept.clear();
  }
}
