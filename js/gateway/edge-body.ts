// Bodies of `fetch` requests and responses, read chunk by chunk.

import { systemClock } from "../platform/clock.js";

export type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** The start of a body, and what reads on. */
export interface Begun {
  chunks: Uint8Array<ArrayBuffer>[];
  size: number;
  /** Whether the chunks are all of it. */
  whole: boolean;
  reader: Reader | undefined;
}

/** Reads a body until it ends or is larger than `max`. `next` reads a chunk. */
export async function begin(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  max: number,
  next: (reader: Reader) => Promise<Uint8Array<ArrayBuffer> | undefined> = nextChunk,
): Promise<Begun> {
  const begun: Begun = { chunks: [], size: 0, whole: body === null, reader: body?.getReader() };
  while (!begun.whole && begun.size <= max) {
    const chunk = await next(begun.reader as Reader);
    if (chunk === undefined) begun.whole = true;
    else {
      begun.chunks.push(chunk);
      begun.size += chunk.length;
    }
  }
  return begun;
}

/** Reads a chunk; undefined at the end. */
export async function nextChunk(reader: Reader): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { done, value } = await reader.read();
  return done ? undefined : value;
}

/** {@link nextChunk} with a deadline, after which `onLate` is called and the reading fails. */
export async function nextChunkWithin(
  reader: Reader,
  ms: number,
  onLate: () => void,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = systemClock.setTimeout(() => {
      reject(new Error("the resource fell silent within its answer (ETIMEDOUT)"));
      onLate();
    }, ms);
  });
  try {
    return await Promise.race([nextChunk(reader), late]);
  } finally {
    systemClock.clearTimeout(timer);
  }
}

/** Joins chunks. */
export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
