import { KeylessError } from "../errors/keyless-error.js";
import { systemClock, unref } from "../platform/clock.js";
import { withDeadline } from "../platform/with-deadline.js";
import type { ChatCall, ChatLimits, ChunkSource } from "./contract.js";
import { chatError } from "./problem.js";

/**
 * How many bytes of a refused request are read and dropped, so that its sender can read the
 * response.
 */
const DRAIN_BYTES = 4_194_304;

/** How long that may take, in milliseconds. */
const DRAIN_MS = 1_000;

/**
 * The time to send the response before the rest of the body is cancelled; on Node that closes the
 * connection.
 */
const CANCEL_MS = 500;

/** The initial size of the buffer, in bytes. */
const INITIAL_BYTES = 4_096;

/**
 * How long reading may block timers, in milliseconds. A source whose next chunk is always ready
 * blocks them. Yielding more often would let unread chunks pile up.
 */
const YIELD_MS = 1_000;

/** The number of chunks between two looks at the clock. */
const CHUNKS_PER_CHECK = 1_000;

type ChunkReader = ReturnType<ChunkSource["getReader"]>;

/**
 * Reads a request body at once into one buffer of at most `bodyBytes`, whatever the size of its
 * chunks. Reads without delay, because the platform would keep an object for every unread chunk.
 */
export class Body {
  /**
   * The bytes of the body. Rejects if they are late or too many. Does not trust `content-length`.
   */
  readonly bytes: Promise<Uint8Array>;
  readonly #reader: ChunkReader | undefined;
  readonly #read: Promise<void>;
  #buffer: Uint8Array | undefined;
  #size = 0;
  #dropped = 0;
  #chunks = 0;
  /** When a timer was last set to yield to, and the promise of its firing. */
  #yield = { since: Number.POSITIVE_INFINITY, done: Promise.resolve() };
  #ended = false;

  constructor({ body, bodyUsed }: Pick<ChatCall, "body" | "bodyUsed">, { bodyBytes, bodyMs }: ChatLimits) {
    this.#buffer = new Uint8Array(Math.min(INITIAL_BYTES, bodyBytes));
    const reader = body && !bodyUsed ? readerOf(body) : undefined;
    this.#reader = reader;
    this.#read = reader
      ? this.#readAll(reader, bodyBytes).catch((error) => this.#rethrow(error))
      : Promise.resolve();
    const whole = this.#read.then(() => {
      if (bodyUsed || (body && !reader)) throw bodyUsedError();
      return (this.#buffer as Uint8Array).subarray(0, this.#size);
    });
    this.bytes = withDeadline(whole, bodyMs, () => {
      throw chatError("chat/slow-request", 408, `The body took longer than ${bodyMs} ms to arrive`);
    });
    // Possibly nobody waits for it: the request may be refused for another reason.
    this.bytes.catch(() => {});
  }

  /**
   * Releases the body of a refused request. Drops what still arrives for a while, unless the call
   * has timed out, and then cancels the rest.
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

  async #readAll(reader: ChunkReader, maxBytes: number): Promise<void> {
    for (;;) {
      const chunk = this.#chunkOf(await reader.read());
      if (!chunk) return;
      const end = this.#size + chunk.byteLength;
      if (end > maxBytes)
        throw chatError("chat/body-too-large", 413, `The body is longer than ${maxBytes} bytes`);
      const buffer = this.#buffer;
      // Refused meanwhile: drop this chunk.
      if (!buffer) return;
      if (end > buffer.byteLength) {
        this.#buffer = new Uint8Array(Math.min(maxBytes, Math.max(end, 2 * buffer.byteLength)));
        this.#buffer.set(buffer.subarray(0, this.#size));
      }
      this.#buffer?.set(chunk, this.#size);
      this.#size = end;
      if (this.#isCheckDue()) await this.#yieldToTimers();
    }
  }

  #rethrow(error: unknown): never {
    if (error instanceof KeylessError) throw error;
    this.#ended = true;
    throw chatError("chat/incomplete-body", 400, "The body was cut off");
  }

  async #drain(reader: ChunkReader): Promise<void> {
    await this.#read.catch(() => {});
    try {
      while (!this.#ended && this.#dropped <= DRAIN_BYTES) {
        this.#dropped += this.#chunkOf(await reader.read())?.byteLength ?? 0;
        if (this.#isCheckDue()) await this.#yieldToTimers();
      }
    } catch {
      this.#ended = true;
    }
  }

  /** Returns the bytes of a chunk, or undefined at the end of the body. */
  #chunkOf({ done, value }: { done: boolean; value?: Uint8Array | undefined }): Uint8Array | undefined {
    this.#ended = done;
    if (done) return undefined;
    if (value instanceof Uint8Array) return value;
    // A typed array of another realm.
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteOffset, byteLength } = value as Uint8Array;
      return new Uint8Array(buffer, byteOffset, byteLength);
    }
    throw bodyUsedError();
  }

  #isCheckDue(): boolean {
    this.#chunks += 1;
    return this.#chunks % CHUNKS_PER_CHECK === 0;
  }

  /** Sets a timer, and waits for it if it could not fire within {@link YIELD_MS}. */
  async #yieldToTimers(): Promise<void> {
    const now = systemClock.monotonic();
    if (now - this.#yield.since > YIELD_MS) await this.#yield.done;
    if (this.#yield.since < Number.POSITIVE_INFINITY) return;
    this.#yield = {
      since: now,
      done: new Promise((done) =>
        systemClock.setTimeout(() => {
          this.#yield.since = Number.POSITIVE_INFINITY;
          done();
        }, 0),
      ),
    };
  }
}

function readerOf(body: ChunkSource): ChunkReader | undefined {
  try {
    return body.getReader();
  } catch {
    // The stream is locked.
    return undefined;
  }
}

function bodyUsedError(): KeylessError {
  return new KeylessError("chat/body-used", "The request's body was read or changed before the handler", {
    hint: "Pass the unchanged request to the handler.",
  });
}
