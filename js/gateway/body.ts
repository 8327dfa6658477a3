import type { IncomingMessage } from "node:http";

/** The largest body that is kept for a repetition. */
const MAX_KEPT = 16 * 1024 * 1024;

/** The body of a request. */
export interface Body {
  /** What has arrived so far. */
  readonly bytes: Buffer;
  /** Whether that is all of it, so that the request can be sent again. */
  readonly whole: boolean;
  /** The size that the client declared. */
  readonly declared: number | undefined;
}

/** The memory that bodies of all requests may take. */
export class Budget {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Takes memory. Returns false if there is not enough. */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}

/** The size in `Content-Length`; undefined without one. */
export function declaredSize({ headers }: IncomingMessage): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

/** Whether a request has a body, of which nothing may have arrived. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] !== undefined || (declaredSize(request) ?? 0) > 0;
}

/**
 * Reads a body as long as it fits into memory. A larger one is left in the request, paused, from the
 * returned bytes on. Rejects if the client leaves.
 */
export function readBody(request: IncomingMessage, take: (bytes: number) => boolean): Promise<Body> {
  const chunks: Buffer[] = [];
  const declared = declaredSize(request);
  let size = 0;
  return new Promise((resolve, reject) => {
    const finish = (whole: boolean) => {
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      if (!whole) request.pause();
      const [only = Buffer.alloc(0)] = chunks;
      resolve({ bytes: chunks.length > 1 ? Buffer.concat(chunks, size) : only, whole, declared });
    };
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_KEPT || !take(chunk.length)) finish(false);
    };
    const onEnd = () => finish(true);
    const onClose = () => reject(new Error("the client left"));
    if (declared !== undefined && declared > MAX_KEPT) return finish(false);
    request.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}
