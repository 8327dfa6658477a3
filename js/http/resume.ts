import { KeylessError } from "../errors/keyless-error.js";
import { systemClock, unref } from "../platform/clock.js";
import { withDeadline } from "../platform/with-deadline.js";
import type {
  ChatEngine,
  ChatLimits,
  ChatTurn,
  EngineEvent,
  EngineRequest,
  EngineResult,
} from "./contract.js";
import { chatError, clientClosed } from "./problem.js";
import { RELEASE_MS, type Slot, Slots } from "./slots.js";

type Step = IteratorResult<EngineEvent, EngineResult>;

/** What a turn gets to know of its call. */
interface CallContext {
  caller: string;
  /** Aborts with the reason why the call ends early. */
  signal: AbortSignal;
}

/** Limits of resumable replies. */
export interface ResumeLimits extends Pick<ChatLimits, "turns" | "turnsPerCaller"> {
  resumeEvents: number;
  resumeBytes: number;
}

/**
 * Streamed replies that outlive their connection. A reply can be resumed from the first event that
 * was sent until `resumeMs` after its connection was lost or its last event was sent, by its caller
 * only. Of replies that have ended, at most as many are kept as turns may run.
 */
export class Resumption {
  /** Limits connections that resume a reply. Its turn has a slot already. */
  readonly slots: Slots;
  readonly #resumeMs: number;
  readonly #limits: ResumeLimits;
  readonly #replies = new Map<string, Reply>();

  constructor(resumeMs: number, limits: ResumeLimits) {
    this.slots = new Slots(limits);
    this.#resumeMs = resumeMs;
    this.#limits = limits;
  }

  /** Starts a turn, which takes over the slot, and returns its first reader. */
  begin(engine: ChatEngine, request: EngineRequest, call: CallContext & { slot: Slot }): ChatTurn {
    const reply = new Reply(call.caller, this.#limits, this.#resumeMs, () => this.#replies.delete(reply.id));
    this.#replies.set(reply.id, reply);
    const release = call.slot.keep();
    const settled = reply.run(engine(request, { caller: call.caller, signal: reply.signal }));
    settled.then(() => {
      release();
      this.#dropOldest(call.caller);
    });
    return reply.read(0, call.signal);
  }

  /**
   * Returns a reader of the events after this one. A reader before it ends.
   *
   * @throws KeylessError `chat/stream-not-found`, `chat/events-dropped`
   */
  resume(eventId: string, { caller, signal }: CallContext): ChatTurn {
    const { reply, after } = this.#find(eventId, caller);
    return reply.read(after, signal);
  }

  /** Ends a reply and its turn. Waits a second for it. Throws `chat/stream-not-found`. */
  async cancel(eventId: string, caller: string): Promise<void> {
    await this.#find(eventId, caller).reply.stop(clientClosed());
  }

  #find(eventId: string, caller: string): { reply: Reply; after: number } {
    const [, id = "", after] = /^([\da-f-]{36})\.(\d{1,15})$/.exec(eventId) ?? [];
    const reply = this.#replies.get(id);
    if (!reply || reply.caller !== caller || Number(after) > reply.sent) throw streamNotFound();
    return { reply, after: Number(after) };
  }

  /** Forgets the oldest replies that have ended, if there are too many. */
  #dropOldest(caller: string): void {
    const ended = [...this.#replies.values()].filter((reply) => reply.ended);
    const own = ended.filter((reply) => reply.caller === caller);
    const { turns, turnsPerCaller } = this.#limits;
    if (own.length > turnsPerCaller) own[0]?.forget();
    else if (ended.length > turns) ended[0]?.forget();
  }
}

/** The events of one turn, of which the last are kept. Events are counted from 1. */
class Reply {
  readonly id = crypto.randomUUID();
  /** The number of the last event that a reader has received. */
  sent = 0;
  readonly #abort = new AbortController();
  readonly #kept: { step: Step; bytes: number }[] = [];
  #bytes = 0;
  /** The number of the last event. */
  #last = 0;
  #error: { error: unknown } | undefined;
  #settled: Promise<void> = Promise.resolve();
  #reader: ChatTurn | undefined;
  #read = 0;
  #timer: unknown;
  /** Wake the reader, or the turn that waits for it. */
  #waiting: (() => void)[] = [];

  constructor(
    readonly caller: string,
    readonly limits: ResumeLimits,
    readonly resumeMs: number,
    readonly forget: () => void,
  ) {}

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get ended(): boolean {
    return this.#error !== undefined || this.#kept.at(-1)?.step.done === true;
  }

  /** Collects the events of the turn. Resolves when it has ended, or a second after it was stopped. */
  run(turn: ChatTurn): Promise<void> {
    const collected = this.#collect(turn);
    const stopped = new Promise<void>((resolve) =>
      this.signal.addEventListener("abort", () => withDeadline(collected, RELEASE_MS, resolve).then(resolve)),
    );
    this.#settled = Promise.race([collected, stopped]);
    return this.#settled;
  }

  /** Ends the turn. Resolves when it has ended, or after a second. */
  stop(reason: unknown): Promise<void> {
    systemClock.clearTimeout(this.#timer);
    this.forget();
    this.#error ??= { error: reason };
    this.#abort.abort(reason);
    this.#wake();
    return this.#settled;
  }

  /** Returns a reader of the events after a number, in place of the one before. */
  read(after: number, signal: AbortSignal): ChatTurn {
    this.#check(after);
    systemClock.clearTimeout(this.#timer);
    this.#read = after;
    let current: number | undefined;
    const reader: ChatTurn = {
      next: async () => {
        const step = await this.#next(reader);
        this.#read += 1;
        current = this.#read;
        this.sent = Math.max(this.sent, current);
        this.#wake();
        return step;
      },
      return: async () => this.#leave(reader, signal),
      eventId: () => (current === undefined ? undefined : `${this.id}.${current}`),
    };
    this.#reader = reader;
    // A reader before this one ends.
    this.#wake();
    return reader;
  }

  async #collect(turn: ChatTurn): Promise<void> {
    try {
      while (!this.#error) {
        const step = await turn.next();
        this.#push(step);
        if (step.done) return;
        while (this.#reader && this.#isFull() && !this.#error) await this.#changed();
      }
    } catch (error) {
      this.#error ??= { error };
      this.#wake();
    } finally {
      await turn.return(undefined as never).catch(() => {});
    }
  }

  #push(step: Step): void {
    const bytes = new TextEncoder().encode(JSON.stringify(step.value)).byteLength;
    this.#kept.push({ step, bytes });
    this.#bytes += bytes;
    this.#last += 1;
    const { resumeEvents, resumeBytes } = this.limits;
    while (this.#kept.length > 1 && (this.#kept.length > resumeEvents || this.#bytes > resumeBytes))
      this.#bytes -= this.#kept.shift()?.bytes ?? 0;
    this.#wake();
  }

  /** Whether the next event might drop one that the reader has not received. */
  #isFull(): boolean {
    const unread = this.#last - this.#read;
    return (
      unread > 0 &&
      (unread >= this.limits.resumeEvents / 2 || 2 * this.#unreadBytes() >= this.limits.resumeBytes)
    );
  }

  #unreadBytes(): number {
    return this.#kept.slice(this.#read - this.#last).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The next event for this reader. */
  async #next(reader: ChatTurn): Promise<Step> {
    for (;;) {
      if (this.#reader !== reader) throw clientClosed();
      this.#check(this.#read);
      const next = this.#kept[this.#read - this.#last + this.#kept.length];
      if (next) return next.step;
      if (this.#error) throw this.#error.error;
      await this.#changed();
    }
  }

  /** Throws if events after this one were dropped. */
  #check(after: number): void {
    if (after >= this.#last - this.#kept.length) return;
    throw chatError(
      "chat/events-dropped",
      410,
      "Too many events were missed; the reply cannot be resumed",
      "Ask again.",
    );
  }

  /** Ends a reader: the turn goes on if only the connection was lost, and a caller can resume it. */
  #leave(reader: ChatTurn, { aborted, reason }: AbortSignal): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    const isLost = reason instanceof KeylessError && LOST.has(reason.code);
    if (this.sent === 0 || (aborted && !isLost && !this.ended)) return void this.stop(reason);
    this.#timer = systemClock.setTimeout(() => this.stop(clientClosed()), this.resumeMs);
    unref(this.#timer);
    this.#wake();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Reasons of an abort that mean that a connection was lost. */
const LOST: ReadonlySet<string> = new Set(["chat/client-closed", "chat/slow-reader"]);

/** Creates the error for a reply that is unknown, over, or another caller's. */
export function streamNotFound(): KeylessError {
  return chatError(
    "chat/stream-not-found",
    404,
    "There is no such reply to resume, or it is over",
    "Ask again, without last-event-id.",
  );
}
