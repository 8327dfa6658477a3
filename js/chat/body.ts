import { systemClock, unref } from "../clock.js";
import { KeylessError } from "../errors.js";
import { within } from "../within.js";
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

/** After so many chunks everything else gets its turn: a source that always has one more would keep timers from firing. */
const CHUNKS_AT_ONCE = 1_000;

/**
 * A body, read from the beginning on into one buffer that never outgrows `bodyBytes`, whatever the chunks. Nothing waits unread, since the
 * platform would keep a chunk's object for each of them.
 */
export class Body {
  /** The body's bytes, if they come in time and are not too many. What is declared of their length is not believed. */
  readonly bytes: Promise<Uint8Array>;
  readonly #reader: ReturnType<ChunkSource["getReader"]> | undefined;
  readonly #read: Promise<void>;
  #buffer: Uint8Array | undefined;
  #size = 0;
  #dropped = 0;
  #chunks = 0;
  #ended = false;

  constructor({ body, bodyUsed }: Pick<ChatCall, "body" | "bodyUsed">, { bodyBytes, bodyMs }: ChatLimits) {
    this.#buffer = new Uint8Array(Math.min(FIRST_BYTES, bodyBytes));
    const reader = body && !bodyUsed ? reading(body) : undefined;
    this.#reader = reader;
    this.#read = reader ? this.#readAll(reader, bodyBytes) : Promise.resolve();
    const whole = this.#read.then(() => {
      if (bodyUsed || (body && !reader)) throw used();
      return (this.#buffer as Uint8Array).subarray(0, this.#size);
    });
    this.bytes = within(whole, bodyMs, () => {
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
    if (status !== 408 && status !== 504) await within(this.#drain(reader), DRAIN_MS, () => {});
    if (!this.#ended) unref(systemClock.setTimeout(cancel, CANCEL_MS));
  }

  async #readAll(reader: ReturnType<ChunkSource["getReader"]>, most: number): Promise<void> {
    for (;;) {
      const chunk = await this.#next(reader);
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
    }
  }

  async #drain(reader: ReturnType<ChunkSource["getReader"]>): Promise<void> {
    await this.#read.catch(() => {});
    while (!this.#ended && this.#dropped <= DRAINED_BYTES)
      this.#dropped += (await this.#next(reader).catch(() => undefined))?.byteLength ?? 0;
  }

  /** The next chunk; none when the body has ended. */
  async #next(reader: ReturnType<ChunkSource["getReader"]>): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await reader.read();
      this.#ended = done;
      if (done) return undefined;
      this.#chunks += 1;
      if (this.#chunks % CHUNKS_AT_ONCE === 0) await othersTurn();
      // Not every realm's Uint8Array is this one's.
      if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    } catch {
      this.#ended = true;
      throw chatError("chat/incomplete-body", 400, "The body broke off");
    }
    throw used();
  }
}

function reading(body: ChunkSource): ReturnType<ChunkSource["getReader"]> | undefined {
  try {
    return body.getReader();
  } catch {
    // Somebody else has the reader.
    return undefined;
  }
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => systemClock.setTimeout(resolve, 0));
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
