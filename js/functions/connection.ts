import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { slowReader } from "../http/problem.js";
import { systemClock } from "../platform/clock.js";

/**
 * The connection from the Functions host that carries the answer to an invocation.
 *
 * With HTTP streams the host forwards a request to a server that `@azure/functions` runs in the
 * worker, and closes that connection when its caller leaves. The library reports neither this nor a
 * slow reader to the handler, and continues to write. Node reports every request of its servers on
 * a diagnostics channel, and the host sends the invocation's id in a header.
 */
export interface Connection {
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
  /**
   * Resolves when the caller can take more. Rejects and closes the connection after `stallMs`
   * without progress.
   */
  ready(stallMs: number): Promise<void>;
}

const INVOCATION_HEADER = "x-ms-invocation-id";

/** Open connections, by invocation id. */
const connections = new Map<string, ServerResponse>();
let isTracking = false;

/** Starts to track connections. Call it before the first request. */
export function trackConnections(): void {
  if (isTracking) return;
  isTracking = true;
  subscribe("http.server.request.start", (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const id = request.headers[INVOCATION_HEADER];
    if (typeof id !== "string" || connections.has(id)) return;
    connections.set(id, response);
    response.once("close", () => connections.delete(id));
  });
}

/** The connection of an invocation. Undefined if HTTP streams are not enabled. */
export function connectionOf(invocationId: string): Connection | undefined {
  const response = connections.get(invocationId);
  if (!response) return undefined;
  const left = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) left.abort();
  });
  return { signal: left.signal, ready: (stallMs) => drained(response, stallMs) };
}

async function drained(response: ServerResponse, stallMs: number): Promise<void> {
  if (!response.writableNeedDrain || response.destroyed) return;
  let timer: unknown;
  let done = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      done = resolve;
      response.once("drain", done);
      response.once("close", done);
      timer = systemClock.setTimeout(() => reject(slowReader(stallMs)), stallMs);
    });
  } catch (error) {
    response.destroy();
    throw error;
  } finally {
    systemClock.clearTimeout(timer);
    response.off("drain", done);
    response.off("close", done);
  }
}
