import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream";
import type { ErrorCode, GatewayRefusalCode } from "../errors/codes.js";
import type { KeylessError } from "../errors/keyless-error.js";
import { systemClock } from "../platform/clock.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { Dialect } from "../wasm/modules/gateway.js";
import { beginEntry, type GatewayAccess } from "./access-log.js";
import { Attempts, type Backend, type Backends, type Forward, NO_ANSWER } from "./backends.js";
import { type Body, type Budget, declaredSize, readBody } from "./body.js";
import { type AnswerTail, noteAnswer, noteRequest } from "./call.js";
import { decompressed, type Failure, readFailure } from "./failure.js";
import { toList, toText, without } from "./header-text.js";
import type { GatewayLimits } from "./options.js";
import { explanation, keyless, ownHeaders } from "./own-answer.js";
import { acquireToken, renewToken } from "./token.js";
import { UpstreamError } from "./upstream.js";
import { networkError, statusOfTokenError } from "./verdict.js";

/** The largest body that is decompressed to be read. */
const MAX_READ = 32 * 1024 * 1024;

/** What all requests of a gateway have in common. */
export interface Context {
  /** What new requests use. */
  readonly setup: Setup;
  readonly budget: Budget;
  /** The requests that are forwarded. */
  readonly active: Set<Exchange>;
  /** Why no further request is accepted now. */
  refusal(): GatewayRefusalCode | undefined;
}

/** What a reload replaces. */
export interface Setup {
  readonly backends: Backends;
  readonly limits: GatewayLimits;
  /** The key of the clients, which no log shows. */
  readonly key: string;
  /** Whether somebody receives the entries: what they say of a model's call costs time. */
  readonly isLogged: boolean;
}

/** One request of a client, and its answer. */
export class Exchange {
  readonly #context: Context;
  readonly #setup: Setup;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #started = systemClock.monotonic();
  readonly #entry: GatewayAccess;
  /** The request to the resource that is in progress. */
  #sent: ClientRequest | undefined;
  /** The backends that are asked, where there are several. */
  #attempts: Attempts | undefined;
  #dialect: Dialect = "openai";
  #left = false;
  #taken = 0;
  #tail: AnswerTail | undefined;

  constructor(context: Context, request: IncomingMessage, response: ServerResponse) {
    this.#context = context;
    this.#setup = context.setup;
    this.#setup.backends.enter();
    this.#request = request;
    this.#response = response;
    const { method = "", url = "", headers } = request;
    const { traceparent } = headers;
    this.#entry = beginEntry({ method, path: pathOf(url), traceparent }, context.setup.key);
  }

  /** Answers the request. Never rejects. Resolves with the log's entry when the answer is complete. */
  async run(): Promise<GatewayAccess> {
    const { socket } = this.#request;
    let onClose = () => {};
    const closed = new Promise<void>((resolve) => {
      onClose = () => {
        this.#left ||= !this.#response.writableFinished;
        // A client that leaves ends the request to the resource.
        if (this.#left) this.#sent?.destroy();
        resolve();
      };
    });
    this.#response.once("close", onClose).on("error", () => {});
    // A pipelined response that waits for its turn is not told that its connection is gone.
    socket.setMaxListeners(0).once("close", onClose);
    if (socket.closed) onClose();
    try {
      await this.#answer();
    } catch (error) {
      // Such as a client that left while its body was read, or an answer that cannot be passed on.
      this.#sent?.destroy();
      this.#fail(error);
    }
    await closed;
    socket.off("close", onClose);
    this.#context.budget.give(this.#taken);
    this.#attempts?.end();
    const failed = this.#attempts?.failed ?? [];
    if (failed.length > 0) this.#entry.failed = failed;
    this.#setup.backends.leave();
    this.#entry.usage = this.#tail?.usage();
    const { outcome } = this.#entry;
    return Object.assign(this.#entry, {
      outcome: this.#left && outcome === "answered" ? "client-left" : outcome,
      durationMs: Math.round(systemClock.monotonic() - this.#started),
    });
  }

  /** Explains an error of the gateway's own, or closes the connection. Never throws. */
  #fail(error: unknown): void {
    try {
      if (this.#left || this.#response.headersSent) this.#response.destroy();
      else this.#explain(this.#dialect, 500, keyless(error));
    } catch {
      this.#response.destroy();
    }
  }

  async #answer(): Promise<void> {
    const { backends, limits } = this.#setup;
    const { method = "", url = "", rawHeaders } = this.#request;
    const request = { method, target: url, headers: toText(rawHeaders) };
    const admission = backends.admit(request);
    switch (admission[0]) {
      case "health":
        return this.#send(200, '{"status":"ok"}');
      case "empty":
        return this.#send(200, "");
      case "refuse":
        return this.#refuse(admission[2], admission[1]);
    }
    const [, dialect, , isTurn] = admission;
    this.#dialect = dialect;
    const refusal = this.#context.refusal();
    if (refusal !== undefined) return this.#refuse(refusal, dialect);
    this.#context.active.add(this);
    if ((declaredSize(this.#request) ?? 0) > limits.maxBodyBytes)
      return this.#refuse("gateway/body-too-large", dialect);
    const body = await readBody(this.#request, (bytes) => this.#take(bytes));
    this.#entry.requestBytes = body.chunks.reduce((total, chunk) => total + chunk.length, 0);
    if (this.#entry.requestBytes > limits.maxBodyBytes)
      return this.#refuse("gateway/body-too-large", dialect);
    if (this.#setup.isLogged) noteRequest(this.#entry, url, body.chunks[0]);
    if (!body.whole) {
      this.#request.on("data", (chunk: Buffer) => {
        this.#entry.requestBytes += chunk.length;
      });
      this.#request.pause();
    }
    const { pool } = backends;
    if (pool === undefined) {
      await this.#ask(backends.first, admission, body);
      return;
    }
    const encoding = this.#request.headers["content-encoding"];
    const bytes = decompressed(Buffer.concat(body.chunks), encoding, MAX_READ);
    const facts = { body: bytes, isWhole: body.whole, isTurn };
    const attempts = new Attempts(backends, pool, request, facts);
    this.#attempts = attempts;
    const none = attempts.start();
    if (none !== undefined) return this.#refuse(none.refusal, dialect, none.retryAfterMs);
    do {
      this.#entry.backend = attempts.backend.name;
    } while (await this.#ask(attempts.backend, attempts.forward, body));
  }

  /**
   * Sends the request to a backend, at most twice, and passes on or explains the answer. Resolves
   * with true if another backend is to be asked.
   */
  async #ask(backend: Backend, forward: Forward, body: Body): Promise<boolean> {
    const { provider, upstream } = backend;
    const { method = "" } = this.#request;
    const [, dialect, target, isTurn, given] = forward;
    const passed = [...toList(given), ...backend.headers];
    // The ids of a compressed answer could not be read.
    const own = this.#attempts?.makesIds ? without(passed, "accept-encoding") : passed;
    const fails = (status: number, headers?: string[]) => this.#attempts?.report(status, headers) ?? false;
    const hasNoToken = (error: unknown) => {
      const known = keyless(error);
      if (fails(known.retryable ? NO_ANSWER.unreachable : NO_ANSWER.left)) return true;
      this.#explain(dialect, statusOfTokenError(known), known);
      return false;
    };
    let token: string | undefined;
    try {
      token = await acquireToken(provider);
    } catch (error) {
      return hasNoToken(error);
    }
    for (let repeated = false; !this.#left; repeated = true) {
      this.#entry.repeated ||= repeated;
      const authorization = token === undefined ? [] : ["Authorization", `Bearer ${token}`];
      const headers = [...own, ...authorization];
      let response: IncomingMessage;
      try {
        response = await upstream.send(
          { method, target, headers, body, source: this.#request },
          (request) => {
            this.#sent = request;
          },
        );
      } catch (error) {
        if (this.#left) break;
        const { reused = false, isConnected = true } = error as Partial<UpstreamError>;
        if (gatewayModule().repeatsBrokenConnection(reused, body.whole, repeated)) continue;
        if (fails(isConnected ? NO_ANSWER.broke : NO_ANSWER.unreachable)) return true;
        this.#explainNoAnswer(backend, dialect, error);
        return false;
      }
      const { statusCode: status = 0, rawHeaders } = response;
      const isRedirect = status >= 300 && status < 400;
      if (!isRedirect && !gatewayModule().needsReading(status)) {
        if (fails(status, rawHeaders)) {
          response.destroy();
          return true;
        }
        this.#pass(response);
        return false;
      }
      const facts = { isTurn, repeatable: body.whole, repeated, token };
      let failure: Failure;
      try {
        failure = await readFailure(provider, response, facts, this.#setup.limits.idleMs);
      } catch (error) {
        response.destroy();
        if (this.#left || !(error instanceof UpstreamError)) throw error;
        if (fails(NO_ANSWER.broke)) return true;
        this.#explainNoAnswer(backend, dialect, error);
        return false;
      }
      const { verdict, error, claims, bytes, hasMore } = failure;
      const renews = verdict === "renew" || verdict === "challenge" || verdict === "retry-by-client";
      if (!renews && fails(status, rawHeaders)) {
        response.destroy();
        return true;
      }
      if (verdict === "pass") {
        this.#pass(response, bytes, hasMore);
        return false;
      }
      response.destroy();
      if (verdict === "redirect") {
        this.#refuse("gateway/redirect", dialect);
        return false;
      }
      if (verdict === "explain") {
        this.#explain(dialect, 400, error);
        return false;
      }
      try {
        token = await renewToken(provider, token, claims);
      } catch (tokenError) {
        return hasNoToken(tokenError);
      }
      if (verdict === "retry-by-client") {
        this.#explain(dialect, 503, error);
        break;
      }
    }
    // Nothing is known of the backend.
    return fails(NO_ANSWER.left);
  }

  /** Passes an answer on: what was read of its body, and the rest as it comes. */
  #pass(response: IncomingMessage, read?: Buffer, hasMore = true): void {
    const client = this.#response;
    const attempts = this.#attempts;
    const { statusCode = 502, rawHeaders } = response;
    this.#entry.status = statusCode;
    client.sendDate = false;
    // Without the resource's reason phrase, which may hold bytes that cannot be sent.
    client.writeHead(statusCode, toList(gatewayModule().responseHeaders(toText(rawHeaders))));
    // The client of a stream may wait for the headers, long before the first event. Those of any
    // other answer are written together with its body.
    if (response.headers["content-length"] === undefined) client.flushHeaders();
    const broke = () => {
      if (response.complete && response.readableEnded) return;
      if (!this.#left && client.writableEnded === false) this.#entry.outcome = "upstream-broke";
      // Without the end of the body, so that the client sees that the answer is incomplete.
      client.destroy();
    };
    // A slow client pauses the answer; only the resource's own silence counts.
    const silent = () => {
      if (client.writableNeedDrain) idle.refresh();
      else response.destroy();
    };
    const idle = systemClock.setTimeout(silent, this.#setup.limits.idleMs) as NodeJS.Timeout;
    const { "content-type": type, "content-encoding": encoding } = response.headers;
    this.#tail = noteAnswer(this.#entry, { type, encoding });
    const count = (chunk: Buffer) => {
      this.#entry.firstByteMs ??= Math.round(systemClock.monotonic() - this.#started);
      this.#entry.responseBytes += chunk.length;
      this.#tail?.add(chunk);
      if (attempts?.makesIds) attempts.read(chunk);
      idle.refresh();
    };
    // Also when it broke off before this was called.
    finished(response, { writable: false }, broke);
    client.once("close", () => systemClock.clearTimeout(idle));
    if (read !== undefined && read.length > 0) {
      count(read);
      client.write(read);
    }
    if (!hasMore) {
      client.end();
      return;
    }
    response.on("data", count);
    response.pipe(client);
  }

  #refuse(code: GatewayRefusalCode, dialect: Dialect, retryAfterMs?: number): void {
    const [status, , body] = gatewayModule().refusal(code, dialect);
    this.#send(status, body, code, retryAfterMs);
  }

  #explain(dialect: Dialect, status: number, error: KeylessError): void {
    this.#send(status, explanation(dialect, status, error), error.code, error.retryAfterMs);
  }

  #explainNoAnswer({ provider }: Backend, dialect: Dialect, error: unknown): void {
    const { reason, message } = error as UpstreamError;
    if (reason === "timeout") this.#refuse("gateway/timeout", dialect);
    else if (reason === "too-large") this.#refuse("gateway/body-too-large", dialect);
    else this.#explain(dialect, 502, networkError(provider, message));
  }

  /** Sends an answer of the gateway's own. */
  #send(status: number, body: string, code?: ErrorCode, retryAfterMs?: number): void {
    this.#entry.status = status;
    if (code !== undefined) this.#entry.code = code;
    if (this.#left) return;
    const response = this.#response;
    // The rest of a body that nobody reads ends the connection.
    if (!this.#request.complete) response.shouldKeepAlive = false;
    const headers = {
      "content-length": `${Buffer.byteLength(body)}`,
      ...ownHeaders(status, body, retryAfterMs),
    };
    response.writeHead(status, headers);
    response.end(body);
  }

  #take(bytes: number): boolean {
    const fits = this.#context.budget.take(bytes);
    if (fits) this.#taken += bytes;
    return fits;
  }
}

/** Returns the path of a target: no host with a user's name and password, and no query. */
function pathOf(target: string): string {
  return (target.split("?")[0] ?? "").replace(/^(?:[a-z][a-z\d+.-]*:\/\/)?[^/]*/i, "");
}
