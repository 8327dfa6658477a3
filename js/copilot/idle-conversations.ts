import { type Clock, systemClock, unref } from "../platform/clock.js";

/** A conversation that can end while it has no turn, and continue with the next one. */
export interface IdleConversation {
  endIdle(): void;
}

/** When idle conversations end. Unset limits are off. */
export interface IdleLimits {
  /** After how many milliseconds without a turn. */
  idleMs: number | undefined;
  /** How many conversations may be open. */
  maxConversations: number | undefined;
}

/**
 * Ends conversations that are idle for too long, and the least recently used idle ones while too
 * many are open. A conversation with a turn never ends: more may be open while all of them have
 * one.
 */
export class IdleConversations {
  readonly #limits: IdleLimits;
  readonly #clock: Pick<Clock, "setTimeout" | "clearTimeout">;
  /** The open conversations in order of their last use, and the timer of those that are idle. */
  readonly #open = new Map<IdleConversation, { busy: boolean; timer: unknown }>();

  constructor(limits: IdleLimits, clock: Pick<Clock, "setTimeout" | "clearTimeout"> = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Notes that a conversation has a turn. */
  busy(conversation: IdleConversation): void {
    this.closed(conversation);
    this.#open.set(conversation, { busy: true, timer: undefined });
    this.#endSurplus();
  }

  /** Notes that the last turn of a conversation has ended. */
  idle(conversation: IdleConversation): void {
    const { idleMs } = this.#limits;
    this.closed(conversation);
    const timer =
      idleMs === undefined ? undefined : this.#clock.setTimeout(() => this.#end(conversation), idleMs);
    unref(timer);
    this.#open.set(conversation, { busy: false, timer });
    this.#endSurplus();
  }

  /** Notes that a conversation is closed. */
  closed(conversation: IdleConversation): void {
    this.#clock.clearTimeout(this.#open.get(conversation)?.timer);
    this.#open.delete(conversation);
  }

  #endSurplus(): void {
    const { maxConversations = Number.POSITIVE_INFINITY } = this.#limits;
    for (const [conversation, { busy }] of this.#open) {
      if (this.#open.size <= maxConversations) return;
      if (!busy) this.#end(conversation);
    }
  }

  #end(conversation: IdleConversation): void {
    this.closed(conversation);
    conversation.endIdle();
  }
}
