import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { WebSocket } from "ws";
import type { ErrorAnswer } from "./errors.js";
import type { EmulatorServer, ReplyFault, TokenFault } from "./fault-types.js";
import { newRequestId } from "./ids.js";
import type { OpenRecord, RequestLog } from "./log.js";
import type { Verification } from "./tokens.js";

/** A request that asks for a WebSocket. A handler that opens one sets `onOpen`. */
export interface Upgrade {
  onOpen: ((socket: WebSocket) => void) | undefined;
}

/** The context of all handlers. */
export interface AppEnv {
  Bindings: HttpBindings & {
    /** Set for requests that ask for a WebSocket. */
    upgrade?: Upgrade;
  };
  Variables: {
    record: OpenRecord;
    requestId: string;
    /** Foundry: the verified bearer token; absent without one. */
    verification: Verification | undefined;
    /** Identity: the fault to apply to the token. */
    tokenFault: TokenFault | undefined;
    /** Foundry: the fault to apply to the reply of the model. */
    replyFault: ReplyFault | undefined;
    /** The body, once it is read. */
    body: Promise<string | "too-large"> | undefined;
  };
}

/** A handler's context. */
export type AppContext = Context<AppEnv>;

/** Set by the adapter's RESPONSE_ALREADY_SENT: the handler used the socket itself. */
const NO_RESPONSE_HEADER = "x-hono-already-sent";
const NO_BODY = new Set([204, 205, 304]);
const CREDENTIALS = new Set([
  "authorization",
  "proxy-authorization",
  "api-key",
  "x-api-key",
  "x-identity-header",
  "secret",
  "cookie",
]);

/** Logs each request. Its record is final when the response is sent or the connection closed. */
export function recordRequests(server: EmulatorServer, log: RequestLog): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env;
    const record = log.open(server, incoming);
    const requestId = newRequestId();
    c.set("record", record);
    c.set("requestId", requestId);
    c.header("x-ms-request-id", requestId);
    // By the emulator's clock: clients may use it to correct theirs.
    c.header("date", new Date(record.at).toUTCString());
    if (server === "foundry") c.header("apim-request-id", requestId);
    outgoing.once("close", () => log.closed(record, !outgoing.writableFinished));
    await next();
    if (outgoing.destroyed || c.res.headers.has(NO_RESPONSE_HEADER)) return;
    log.answered(record, c.env.upgrade?.onOpen ? 101 : c.res.status);
  };
}

/** Sends a string as it is, and other values as JSON. */
export function send(
  c: AppContext,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const contentType = typeof body === "string" && !/^\s*[[{]/.test(body) ? "text/plain" : "application/json";
  return c.newResponse(NO_BODY.has(status) ? null : text, status as StatusCode, {
    "content-type": contentType,
    ...headers,
  });
}

/** Sends an error of Azure. */
export function refuse(c: AppContext, answer: ErrorAnswer): Response {
  return send(c, answer.status, answer.body, answer.headers);
}

/** Returns the headers of a request in lower case, without those that hold a credential. */
export function plainHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !CREDENTIALS.has(name)) headers[name] = String(value);
  }
  return headers;
}

/**
 * Reads the body of a request, once. Returns "too-large" as soon as it exceeds `limit` bytes.
 */
export function readBody(c: AppContext, limit: number): Promise<string | "too-large"> {
  const body = c.get("body") ?? read(c.env.incoming, limit);
  c.set("body", body);
  return body;
}

async function read(incoming: IncomingMessage, limit: number): Promise<string | "too-large"> {
  if (Number(incoming.headers["content-length"] ?? 0) > limit) return "too-large";
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return "too-large";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Resolves after `ms`, or at once when the caller disconnects or the emulator stops. */
export function pause(c: AppContext, ms: number): Promise<void> {
  const { outgoing } = c.env;
  if (outgoing.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      outgoing.off("close", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    outgoing.once("close", done);
  });
}
