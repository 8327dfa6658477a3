import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { ErrorAnswer } from "./errors.js";
import type { EmulatorServer, TokenFault } from "./faults.js";
import { newRequestId } from "./ids.js";
import type { OpenRecord, RequestLog } from "./log.js";
import type { Verification } from "./tokens.js";

/** What every handler of the emulator finds in its context. */
export interface AppEnv {
  Bindings: HttpBindings;
  Variables: {
    record: OpenRecord;
    requestId: string;
    /** Foundry: what the bearer token turned out to be; absent without one. */
    verification: Verification | undefined;
    /** Identity: what is to be wrong with the token. */
    tokenFault: TokenFault | undefined;
  };
}

/** A handler's context. */
export type AppContext = Context<AppEnv>;

/** Set by the adapter's RESPONSE_ALREADY_SENT: the handler dealt with the socket itself. */
const NO_ANSWER_HEADER = "x-hono-already-sent";
const NO_BODY = new Set([204, 205, 304]);
const CREDENTIALS = new Set([
  "authorization",
  "proxy-authorization",
  "api-key",
  "x-api-key",
  "x-identity-header",
  "cookie",
]);

/** Opens a log record for each request and closes it when the connection is done with it. */
export function recording(server: EmulatorServer, log: RequestLog): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env;
    const record = log.open(server, incoming);
    const requestId = newRequestId();
    c.set("record", record);
    c.set("requestId", requestId);
    c.header("x-ms-request-id", requestId);
    // The emulator's own time: a client may go by it.
    c.header("date", new Date(record.at).toUTCString());
    if (server === "foundry") c.header("apim-request-id", requestId);
    outgoing.once("close", () => log.closed(record, !outgoing.writableFinished));
    await next();
    if (!outgoing.destroyed && !c.res.headers.has(NO_ANSWER_HEADER)) log.answered(record, c.res.status);
  };
}

/** Sends a string as it is and anything else as JSON. */
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

/** Sends one of Azure's refusals. */
export function refuse(c: AppContext, answer: ErrorAnswer): Response {
  return send(c, answer.status, answer.body, answer.headers);
}

/** The request's headers in lower case, without those that hold a credential. */
export function plainHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !CREDENTIALS.has(name)) headers[name] = String(value);
  }
  return headers;
}

/** Reads the body, or gives up with "too-large" as soon as it is longer than `limit` bytes. */
export async function readBody(incoming: IncomingMessage, limit: number): Promise<string | "too-large"> {
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

/** Resolves after `ms`, or at once when the caller leaves or the emulator stops. */
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
