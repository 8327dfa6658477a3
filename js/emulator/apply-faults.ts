import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { claimsChallenge, type ErrorAnswer, resourceError } from "./errors.js";
import type { BodyFault, ClaimsChallengeFault, EmulatorServer, FaultQueue, StatusFault } from "./faults.js";
import { type AppContext, type AppEnv, pause, plainHeaders, refuse, send } from "./http.js";

/** How long the beginning of a cut answer gets to leave the machine. */
const CUT_AFTER_MS = 5;
const DEFAULT_EVENTS_BEFORE_CUT = 3;
/** In how many pieces a slow body is sent. */
const SLOW_PIECES = 20;

/** What the two servers do differently. */
export interface FaultSettings {
  readonly server: EmulatorServer;
  readonly queue: FaultQueue;
  /** The server's own answer with a status. */
  errorForStatus(c: AppContext, status: number, retryAfterSeconds: number): ErrorAnswer;
}

/** Applies the next matching fault to each request, and leaves faults of tokens to the handler. */
export function faulting(settings: FaultSettings): MiddlewareHandler<AppEnv> {
  return createMiddleware<AppEnv>(async (c, next) => {
    const { incoming, outgoing } = c.env;
    const record = c.get("record");
    const fault = settings.queue.take({
      server: settings.server,
      method: record.method,
      path: record.path,
      query: record.query ?? "",
      headers: plainHeaders(incoming),
    });
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
        // Unread bytes would keep the socket from noticing that the caller has left.
        incoming.resume();
        if (!outgoing.destroyed) await new Promise((resolve) => outgoing.once("close", resolve));
        return RESPONSE_ALREADY_SENT;
      case "reset":
        incoming.socket.resetAndDestroy();
        return RESPONSE_ALREADY_SENT;
      case "slow-body":
        await next();
        c.res = unhurried(c, c.res, fault.delayMs);
        return undefined;
      case "cut-stream":
        await next();
        c.res = cut(c, c.res, fault.afterEvents ?? DEFAULT_EVENTS_BEFORE_CUT);
        return undefined;
      default:
        c.set("tokenFault", fault);
        return next();
    }
  });
}

function answer(c: AppContext, settings: FaultSettings, fault: StatusFault | BodyFault): Response {
  const { status, body, headers } = fault.kind === "body" ? ownBody(fault) : azureBody(c, settings, fault);
  return send(c, status, body, { ...headers, ...fault.headers });
}

/** Only a token that is good otherwise, and has not been issued with the claims. */
function isChallenged(c: AppContext, fault: ClaimsChallengeFault): boolean {
  const verification = c.get("verification");
  return verification?.verdict === "valid" && verification.claims?.requestedClaims !== fault.claims;
}

function ownBody({ status = 200, body }: BodyFault): ErrorAnswer {
  return { status, body };
}

function azureBody(c: AppContext, settings: FaultSettings, fault: StatusFault): ErrorAnswer {
  const retryAfterSeconds = Number(new Headers(fault.headers).get("retry-after")) || 1;
  return {
    ...(fault.error === undefined
      ? settings.errorForStatus(c, fault.status ?? 500, retryAfterSeconds)
      : resourceError(fault.error, { retryAfterSeconds })),
    ...(fault.status === undefined ? {} : { status: fault.status }),
    ...(fault.body === undefined ? {} : { body: fault.body }),
  };
}

/** Lets the beginning of an answer through, then destroys the connection, so that its end never comes. */
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
      // The adapter cancels this stream when the connection closes; to close it here would complete the answer.
      c.env.incoming.socket.destroy();
    },
    cancel: () => source?.cancel(),
  });
  return inPieces(response, body);
}

/** Lets a body through in small pieces, evenly over the time. */
function unhurried(c: AppContext, response: Response, delayMs: number): Response {
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
  return inPieces(response, body);
}

/** The answer with another body, whose head is sent at once: the adapter would wait and see how long it is. */
function inPieces(response: Response, body: ReadableStream<Uint8Array>): Response {
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  headers.set("transfer-encoding", "chunked");
  return new Response(body, { status: response.status, headers });
}
