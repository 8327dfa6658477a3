import { TLSSocket } from "node:tls";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { claimsChallenge, type ErrorAnswer, resourceError } from "./errors.js";
import type {
  BodyFault,
  ClaimsChallengeFault,
  EmulatorServer,
  FaultRequest,
  StatusFault,
} from "./fault-types.js";
import type { FaultQueue } from "./faults.js";
import { type AppContext, type AppEnv, pause, plainHeaders, readBody, refuse, send } from "./http.js";
import { isObject, type Json } from "./json.js";

/** The time to send the beginning of a response before it is cut, in milliseconds. */
const CUT_AFTER_MS = 5;
const DEFAULT_EVENTS_BEFORE_CUT = 3;
/** The largest body that a fault can look at. */
const BODY_LIMIT = 20 * 1024 * 1024;
/** The number of pieces of a slow body. */
const SLOW_PIECES = 20;

/** The differences between the two servers. */
export interface FaultSettings {
  readonly server: EmulatorServer;
  readonly queue: FaultQueue;
  /** Returns the server's error for a status. */
  errorForStatus(c: AppContext, status: number, retryAfterSeconds: number): ErrorAnswer;
}

/** Applies the next matching fault to each request. Leaves faults of tokens to the handler. */
export function applyFaults(settings: FaultSettings): MiddlewareHandler<AppEnv> {
  return createMiddleware<AppEnv>(async (c, next) => {
    const { incoming, outgoing } = c.env;
    const record = c.get("record");
    const body = settings.queue.readsBody(settings.server) ? await readBody(c, BODY_LIMIT) : "";
    const fault = settings.queue.take(
      faultRequest(c, settings.server, body === "too-large" ? "" : body, deploymentOf(record.path)),
    );
    if (!fault) return next();
    if (fault.kind === "claims-challenge" && !isChallenged(c, fault)) return next();
    record.fault = fault.kind;
    switch (fault.kind) {
      case "status":
      case "body":
        return answer(c, settings, fault);
      case "claims-challenge":
        return refuse(c, claimsChallenge(fault.claims));
      case "delay":
        await pause(c, fault.delayMs);
        return outgoing.destroyed ? RESPONSE_ALREADY_SENT : next();
      case "hang":
        // With unread bytes the socket would not notice that the caller disconnects.
        incoming.resume();
        if (!outgoing.destroyed) await new Promise((resolve) => outgoing.once("close", resolve));
        return RESPONSE_ALREADY_SENT;
      case "reset":
        // An encrypted socket can only be closed.
        if (incoming.socket instanceof TLSSocket) incoming.socket.destroy();
        else incoming.socket.resetAndDestroy();
        return RESPONSE_ALREADY_SENT;
      case "slow-body":
        await next();
        c.res = slowBody(c, c.res, fault.delayMs);
        return undefined;
      case "cut-stream":
        await next();
        c.res = cut(c, c.res, fault.afterEvents ?? DEFAULT_EVENTS_BEFORE_CUT);
        return undefined;
      case "stream-error":
      case "length":
        c.set("replyFault", fault);
        return next();
      default:
        c.set("tokenFault", fault);
        return next();
    }
  });
}

/** Describes a request for the predicates of faults. */
export function faultRequest(
  c: AppContext,
  server: EmulatorServer,
  body: string,
  deployment: string | undefined,
): FaultRequest {
  const { method, path, query = "" } = c.get("record");
  const fields = parsed(body);
  const { model, metadata } = fields;
  const { clientId, principalId } = c.get("verification")?.claims ?? {};
  const userId = isObject(metadata) ? metadata.user_id : undefined;
  const users = [fields.user, fields.safety_identifier, userId, clientId, principalId];
  const named = deployment ?? model;
  return {
    server,
    method,
    path,
    query,
    headers: plainHeaders(c.env.incoming),
    body,
    ...(typeof model === "string" ? { model } : {}),
    ...(typeof named === "string" ? { deployment: named } : {}),
    users: users.filter((user) => typeof user === "string"),
  };
}

/** The deployment in a dated path. */
function deploymentOf(path: string): string | undefined {
  const name = /^\/openai\/deployments\/([^/]+)\//.exec(path)?.[1];
  try {
    return name === undefined ? undefined : decodeURIComponent(name);
  } catch {
    return name;
  }
}

function parsed(body: string): Json {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function answer(c: AppContext, settings: FaultSettings, fault: StatusFault | BodyFault): Response {
  const { status, body, headers } = fault.kind === "body" ? ownBody(fault) : azureBody(c, settings, fault);
  return send(c, status, body, { ...headers, ...fault.headers });
}

/** Whether a token is valid, but neither issued with the claims nor in the place of a revoked one. */
export function isChallenged(c: AppContext, fault: ClaimsChallengeFault): boolean {
  const { verdict, claims } = c.get("verification") ?? {};
  return verdict === "valid" && claims?.requestedClaims !== fault.claims && !claims?.renewed;
}

function ownBody({ status = 200, body }: BodyFault): ErrorAnswer {
  return { status, body };
}

/** Returns Azure's error for a fault. */
export function azureBody(
  c: AppContext,
  settings: Pick<FaultSettings, "errorForStatus">,
  fault: StatusFault,
): ErrorAnswer {
  const retryAfterSeconds = Number(new Headers(fault.headers).get("retry-after")) || 1;
  return {
    ...(fault.error === undefined
      ? settings.errorForStatus(c, fault.status ?? 500, retryAfterSeconds)
      : resourceError(fault.error, { retryAfterSeconds })),
    ...(fault.status === undefined ? {} : { status: fault.status }),
    ...(fault.body === undefined ? {} : { body: fault.body }),
  };
}

/** Sends the beginning of a response, then destroys the connection. */
function cut(c: AppContext, response: Response, afterEvents: number): Response {
  const source = response.body?.getReader();
  const streamed = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = sent < (streamed ? afterEvents : 1) ? await source?.read() : undefined;
      sent += 1;
      if (part?.value) {
        const whole = part.value;
        controller.enqueue(streamed ? whole : whole.subarray(0, Math.ceil(whole.length / 2)));
        return;
      }
      await source?.cancel();
      await pause(c, CUT_AFTER_MS);
      // Not closed here: that would complete the response. The adapter cancels the stream instead.
      c.env.incoming.socket.destroy();
    },
    cancel: () => source?.cancel(),
  });
  return chunkedResponse(response, body);
}

/** Sends a body in small pieces, spread evenly over `delayMs`. */
function slowBody(c: AppContext, response: Response, delayMs: number): Response {
  let rest: Promise<Uint8Array<ArrayBuffer>> | undefined;
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      rest ??= response.arrayBuffer().then((whole) => new Uint8Array(whole));
      const whole = await rest;
      await pause(c, delayMs / SLOW_PIECES);
      const [from, to] = [sent, sent + 1].map((piece) => Math.ceil((whole.length * piece) / SLOW_PIECES));
      sent += 1;
      controller.enqueue(whole.subarray(from, to));
      if (sent === SLOW_PIECES) controller.close();
    },
  });
  return chunkedResponse(response, body);
}

/**
 * Replaces the body of a response by a chunked one: otherwise the adapter waits for its length
 * before it sends the head.
 */
function chunkedResponse(response: Response, body: ReadableStream<Uint8Array>): Response {
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  headers.set("transfer-encoding", "chunked");
  return new Response(body, { status: response.status, headers });
}
