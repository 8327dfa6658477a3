import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import zlib from "node:zlib";
import type { FoundryProvider } from "../foundry/provider.js";
import { systemClock } from "../platform/clock.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import { UpstreamError } from "./upstream.js";
import { type Judgement, judgeFailure, MAX_ERROR_BYTES, type RequestFacts } from "./verdict.js";

/** An answer that is no success, and what to do with it. */
export interface Failure extends Judgement {
  /** The part of the body that was read. */
  bytes: Buffer;
  /** Whether the rest of the body is still in the response, which is paused. */
  hasMore: boolean;
}

/**
 * Reads an answer that is no success, and decides what to do with it. Rejects with an
 * {@link UpstreamError} if the answer breaks off, or pauses for longer than `idleMs`.
 */
export async function readFailure(
  provider: FoundryProvider,
  response: IncomingMessage,
  facts: RequestFacts,
  idleMs: number,
): Promise<Failure> {
  const { statusCode: status = 0, headers } = response;
  // A redirect is judged by its status.
  const isRead = gatewayModule().needsReading(status);
  const { bytes, hasMore } = isRead
    ? await peek(response, idleMs)
    : { bytes: Buffer.alloc(0), hasMore: true };
  const failed = {
    status,
    headers: Object.entries(headers).map(([name, value]) => [name, String(value)] as const),
    body: decompressed(bytes, headers["content-encoding"], 16 * MAX_ERROR_BYTES).toString("utf8"),
    challenge: headers["www-authenticate"],
  };
  return { ...judgeFailure(provider, failed, facts), bytes, hasMore };
}

/** Reads the start of a body, and leaves the rest in the response. */
function peek(response: IncomingMessage, idleMs: number): Promise<{ bytes: Buffer; hasMore: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const stop = () => {
      systemClock.clearTimeout(idle);
      unwatch();
      response.off("data", onData);
    };
    const finish = (hasMore: boolean) => {
      stop();
      if (hasMore) response.pause();
      resolve({ bytes: Buffer.concat(chunks), hasMore });
    };
    const fail = (message: string) => {
      stop();
      reject(new UpstreamError(message, "network", false, true));
    };
    const onData = (chunk: Buffer) => {
      idle.refresh();
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ERROR_BYTES) finish(true);
    };
    const silent = () => fail("the resource fell silent within its answer (ETIMEDOUT)");
    const idle = systemClock.setTimeout(silent, idleMs) as NodeJS.Timeout;
    // Also when it has ended or broken off already.
    const unwatch = finished(response, { writable: false }, (error) => {
      if (error) fail("the answer broke off (ECONNRESET)");
      else finish(false);
    });
    response.on("data", onData);
  });
}

/**
 * Decompresses a body. Returns one that cannot be decompressed, that is cut off or too long, as it
 * is.
 */
export function decompressed(bytes: Buffer, encoding: string | undefined, maxOutputLength: number): Buffer {
  const options = { maxOutputLength };
  // Node 20 has no zstd.
  const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Buffer, options: object) => Buffer };
  try {
    switch (encoding?.trim().toLowerCase()) {
      case "gzip":
      case "x-gzip":
        return zlib.gunzipSync(bytes, options);
      case "deflate":
        return zlib.inflateSync(bytes, options);
      case "br":
        return zlib.brotliDecompressSync(bytes, options);
      case "zstd":
        return zstdDecompressSync?.(bytes, options) ?? bytes;
      default:
        return bytes;
    }
  } catch {
    return bytes;
  }
}
