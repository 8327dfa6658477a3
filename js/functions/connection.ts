import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { slowReader } from "../http/problem.js";
import { systemClock } from "../platform/clock.js";

/**
 * The connection from the Functions host on which an invocation is answered.
 *
 * With HTTP streams the host forwards a request to a server that `@azure/functions` runs in the worker, and closes that connection
 * when its caller leaves. The library tells a handler neither of this nor of a caller who reads slowly: it goes on writing. Node
 * itself tells of every request that its servers get, and the host names the invocation in a header.
 */
export interface Connection {
  /** Aborted when the caller has left. */
  readonly signal: AbortSignal;
  /** Resolves when the caller takes more. Rejects, and cuts the connection, when it has taken nothing for `stallMs`. */
  ready(stallMs: number): Promise<void>;
}

const INVOCATION_HEADER = "x-ms-invocation-id";

/** Open connections by invocation. */
const open = new Map<string, ServerResponse>();
let watching = false;

/** Begins to note connections. Before the first request. */
export function watchConnections(): void {
  if (watching) return;
  watching = true;
  subscribe("http.server.request.start", (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const id = request.headers[INVOCATION_HEADER];
    if (typeof id !== "string" || open.has(id)) return;
    open.set(id, response);
    response.once("close", () => open.delete(id));
  });
}

/** The connection of an invocation; none where HTTP streams are not enabled. */
export function connectionOf(invocationId: string): Connection | undefined {
  const response = open.get(invocationId);
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
