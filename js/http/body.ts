import { KeylessError } from "../errors/keyless-error.js";
import { systemClock, unref } from "../platform/clock.js";
import { withDeadline } from "../platform/with-deadline.js";
import type { ChatCall, ChatLimits, ChunkSource } from "./contract.js";
import { chatError } from "./problem.js";

/** How much of a body is read and dropped after its request was refused, in bytes, so that its sender gets to read the answer. */
const DRAINED_BYTES = 4_194_304;

/** How long that may take, in milliseconds. */
const DRAIN_MS = 1_000;

/** How long an answer gets to leave before the rest of the body is cancelled: on Node that ends the connection. */
const CANCEL_MS = 500;

/** The buffer that a body begins with, in bytes. */
const FIRST_BYTES = 4_096;

/**
 * A source that always has one more chunk at hand keeps timers from their turn. They get it after so long, in milliseconds; sooner, chunks would
 * pile up unread. The clock is looked at after so many chunks.
 */
const TURN_MS = 1_000;
const CHUNKS_UNLOOKED = 1_000;

type ChunkReader = ReturnType<ChunkSource["getReader"]>;

/**
 * A body, read from the beginning on into one buffer that never outgrows `bodyBytes`, whatever the chunks. Nothing waits unread, since the
 * platform would keep a chunk's object for each of them.
 */
export class Body {
  /** The body's bytes, if they come in time and are not too many. What is declared of their length is not believed. */
  readonly bytes: Promise<Uint8Array>;
  readonly #reader: ChunkReader | undefined;
  readonly #read: Promise<void>;
  #buffer: Uint8Array | undefined;
  #size = 0;
  #dropped = 0;
  #chunks = 0;
  /** When timers were to have their turn, and whether they have had it. */
  #turn = { since: Number.POSITIVE_INFINITY, over: Promise.resolve() };
  #ended = false;

  constructor({ body, bodyUsed }: Pick<ChatCall, "body" | "bodyUsed">, { bodyBytes, bodyMs }: ChatLimits) {
    this.#buffer = new Uint8Array(Math.min(FIRST_BYTES, bodyBytes));
    const reader = body && !bodyUsed ? reading(body) : undefined;
    this.#reader = reader;
    this.#read = reader
      ? this.#readAll(reader, bodyBytes).catch((error) => this.#failed(error))
      : Promise.resolve();
    const whole = this.#read.then(() => {
      if (bodyUsed || (body && !reader)) throw used();
      return (this.#buffer as Uint8Array).subarray(0, this.#size);
    });
    this.bytes = withDeadline(whole, bodyMs, () => {
      throw chatError("chat/slow-request", 408, `The body took longer than ${bodyMs} ms to arrive`);
    });
    // The request may be refused for another reason.
    this.bytes.catch(() => {});
  }

  /**
   * Lets go of the body of a request that is refused. What still comes is dropped for a while, unless its time is up already, and then
   * cancelled.
   */
  async refuse(status: number): Promise<void> {
    const reader = this.#reader;
    this.#buffer = undefined;
    if (!reader || this.#ended) return;
    const cancel = () => void reader.cancel().catch(() => {});
    if (status === 499) return cancel();
    if (status !== 408 && status !== 504) await withDeadline(this.#drain(reader), DRAIN_MS, () => {});
    if (!this.#ended) unref(systemClock.setTimeout(cancel, CANCEL_MS));
  }

  async #readAll(reader: ChunkReader, most: number): Promise<void> {
    for (;;) {
      const chunk = this.#chunkOf(await reader.read());
      if (!chunk) return;
      const end = this.#size + chunk.byteLength;
      if (end > most) throw chatError("chat/body-too-large", 413, `The body is longer than ${most} bytes`);
      const buffer = this.#buffer;
      // Refused meanwhile: the chunk that was waited for is the first to be dropped.
      if (!buffer) return;
      if (end > buffer.byteLength) {
        this.#buffer = new Uint8Array(Math.min(most, Math.max(end, 2 * buffer.byteLength)));
        this.#buffer.set(buffer.subarray(0, this.#size));
      }
      this.#buffer?.set(chunk, this.#size);
      this.#size = end;
      if (this.#isTimersTurn()) await this.#timersTurn();
    }
  }

  #failed(error: unknown): never {
    if (error instanceof KeylessError) throw error;
    this.#ended = true;
    throw chatError("chat/incomplete-body", 400, "The body broke off");
  }

  async #drain(reader: ChunkReader): Promise<void> {
    await this.#read.catch(() => {});
    try {
      while (!this.#ended && this.#dropped <= DRAINED_BYTES) {
        this.#dropped += this.#chunkOf(await reader.read())?.byteLength ?? 0;
        if (this.#isTimersTurn()) await this.#timersTurn();
      }
    } catch {
      this.#ended = true;
    }
  }

  /** The bytes of a chunk; none when the body has ended. */
  #chunkOf({ done, value }: { done: boolean; value?: Uint8Array | undefined }): Uint8Array | undefined {
    this.#ended = done;
    if (done) return undefined;
    if (value instanceof Uint8Array) return value;
    // Another realm's.
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteOffset, byteLength } = value as Uint8Array;
      return new Uint8Array(buffer, byteOffset, byteLength);
    }
    throw used();
  }

  /** Looks at the clock now and then. */
  #isTimersTurn(): boolean {
    this.#chunks += 1;
    return this.#chunks % CHUNKS_UNLOOKED === 0;
  }

  async #timersTurn(): Promise<void> {
    const now = systemClock.monotonic();
    if (now - this.#turn.since > TURN_MS) await this.#turn.over;
    if (this.#turn.since < Number.POSITIVE_INFINITY) return;
    this.#turn = {
      since: now,
      over: new Promise((over) =>
        systemClock.setTimeout(() => {
          this.#turn.since = Number.POSITIVE_INFINITY;
          over();
        }, 0),
      ),
    };
  }
}

function reading(body: ChunkSource): ChunkReader | undefined {
  try {
    return body.getReader();
  } catch {
    // Somebody else has the reader.
    return undefined;
  }
}

function used(): KeylessError {
  return new KeylessError(
    "chat/body-used",
    "Something has read the request's body, or changed it, before the handler",
    {
      hint: "Give the handler the request as it came.",
    },
  );
}
