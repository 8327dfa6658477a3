import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { ErrorCode, GatewayRefusalCode } from "../errors/codes.js";
import type { KeylessError } from "../errors/keyless-error.js";
import { systemClock } from "../platform/clock.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { Dialect } from "../wasm/modules/gateway.js";
import { beginEntry, type GatewayAccess } from "./access-log.js";
import { answerHeaders, type Forward } from "./admission.js";
import { Attempts, type Backend, type Backends, NO_ANSWER } from "./backends.js";
import { type Body, type Budget, declaredSize, hasBody, readBody } from "./body.js";
import { type AnswerTail, noteAnswer, noteRequest } from "./call.js";
import { decompressed, type Failure, readFailure } from "./failure.js";
import { headerOf, without } from "./header-text.js";
import type { GatewayLimits } from "./options.js";
import { explanation, keyless, ownHeaders } from "./own-answer.js";
import { relay } from "./relay.js";
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
  readonly #onEnd: (entry: GatewayAccess) => void;
  /** The request to the resource that is in progress. */
  #sent: ClientRequest | undefined;
  /** The backends that are asked, where there are several. */
  #attempts: Attempts | undefined;
  #dialect: Dialect = "openai";
  /** Whether another answer on the connection, which is pipelined, was not complete when it came. */
  readonly #waits: boolean;
  /** Whether the client sends its body when it is asked to. */
  readonly #expects: boolean;
  #left = false;
  #isOver = false;
  #taken = 0;
  #tail: AnswerTail | undefined;

  /**
   * Answers a request. Calls `onEnd` once with the log's entry: when the answer is complete, or the
   * client's connection is gone, whatever is waited for then.
   */
  constructor(
    context: Context,
    request: IncomingMessage,
    response: ServerResponse,
    onEnd: (entry: GatewayAccess) => void,
  ) {
    this.#context = context;
    this.#setup = context.setup;
    this.#setup.backends.enter();
    this.#request = request;
    this.#response = response;
    this.#onEnd = onEnd;
    const { method = "", url = "", headers, socket, httpVersionMinor } = request;
    const { traceparent, expect = "" } = headers;
    this.#entry = beginEntry({ method, path: pathOf(url), traceparent }, context.setup.key);
    this.#waits = response.socket === null;
    this.#expects = httpVersionMinor > 0 && /^100-continue$/i.test(expect);
    response.on("close", this.#end).on("error", ignore);
    // A pipelined response that waits for its turn is not told that its connection is gone.
    if (this.#waits) socket.setMaxListeners(0).on("close", this.#end);
    this.#answer().catch((error) => {
      // Such as a client that left while its body was read, or an answer that cannot be passed on.
      this.#sent?.destroy();
      this.#fail(error);
    });
    if (socket.closed) this.#end();
  }

  /** Ends it without an answer. */
  destroy(): void {
    this.#response.destroy();
    this.#setup.backends.close();
  }

  readonly #end = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#left = !this.#response.writableFinished;
    if (this.#waits) this.#request.socket.off("close", this.#end);
    // A client that leaves ends the request to the resource; so does an answer before the end of the
    // body, of which the rest is not read.
    if (this.#left || !this.#request.complete) {
      this.#sent?.destroy();
      this.#request.resume();
    }
    this.#context.active.delete(this);
    this.#context.budget.give(this.#taken);
    this.#attempts?.end();
    const failed = this.#attempts?.failed ?? [];
    if (failed.length > 0) this.#entry.failed = failed;
    this.#setup.backends.leave();
    this.#entry.usage = this.#tail?.usage();
    if (this.#left && this.#entry.outcome === "answered") this.#entry.outcome = "client-left";
    this.#entry.durationMs = Math.round(systemClock.monotonic() - this.#started);
    this.#onEnd(this.#entry);
  };

  /** Explains an error of the gateway's own, or closes the connection. Never throws. */
  #fail(error: unknown): void {
    try {
      if (this.#left || this.#response.headersSent) this.#response.destroy();
      else this.#explain(this.#dialect, 500, keyless(error));
    } catch {
      this.#response.destroy();
    }
  }

  /**
   * Asks for the body. A pipelined request has to wait until the answers before its own have ended: Node
   * would put what it writes now behind the head of its answer.
   */
  #continue(): void {
    const response = this.#response;
    if (response.socket) response.writeContinue();
    else
      response.once("socket", () => {
        if (!response.headersSent) response.writeContinue();
      });
  }

  async #answer(): Promise<void> {
    const { backends, limits } = this.#setup;
    const { method = "", url = "", rawHeaders } = this.#request;
    const request = { method, target: url, headers: rawHeaders };
    const admission = backends.admit(request);
    switch (admission.kind) {
      case "health":
        return this.#send(200, '{"status":"ok"}');
      case "empty":
        return this.#send(200, "");
      case "refuse":
        return this.#refuse(admission.code, admission.dialect);
    }
    const { dialect, isTurn } = admission;
    this.#dialect = dialect;
    const refusal = this.#context.refusal();
    if (refusal !== undefined) return this.#refuse(refusal, dialect);
    this.#context.active.add(this);
    if ((declaredSize(this.#request) ?? 0) > limits.maxBodyBytes)
      return this.#refuse("gateway/body-too-large", dialect);
    if (this.#expects && hasBody(this.#request)) this.#continue();
    const body = await readBody(this.#request, (bytes) => this.#take(bytes));
    // Nothing is begun that #end would have to end.
    if (this.#isOver) return;
    this.#entry.requestBytes = body.bytes.length;
    if (this.#entry.requestBytes > limits.maxBodyBytes)
      return this.#refuse("gateway/body-too-large", dialect);
    if (!body.whole) {
      this.#request.on("data", (chunk: Buffer) => {
        this.#entry.requestBytes += chunk.length;
      });
      this.#request.pause();
    }
    const { pool } = backends;
    if (pool === undefined) {
      if (this.#setup.isLogged) noteRequest(this.#entry, url, { body: body.bytes });
      await this.#ask(backends.first, admission, body);
      return;
    }
    const encoding = this.#request.headers["content-encoding"];
    const bytes = decompressed(body.bytes, encoding, MAX_READ);
    const facts = { body: bytes, isWhole: body.whole, isTurn };
    const attempts = new Attempts(backends, pool, request, facts);
    this.#attempts = attempts;
    // What chooses the backend has read the model, also from a compressed body.
    if (this.#setup.isLogged) noteRequest(this.#entry, url, attempts);
    const none = attempts.start();
    if (none !== undefined) return this.#refuse(none.refusal, dialect, none.retryAfterMs);
    do {
      this.#entry.backend = attempts.backend.name;
    } while (await this.#ask(attempts.backend, attempts.forward, body));
  }

  /**
   * Sends the request to a backend, and passes on or explains the answer. Sends it again once with
   * another token, and once on another connection. Resolves with true if another backend is to be
   * asked.
   */
  async #ask(backend: Backend, forward: Forward, body: Body): Promise<boolean> {
    const { provider, tokens, upstream } = backend;
    const { method = "" } = this.#request;
    const { dialect, target, isTurn, headers: given } = forward;
    const passed = backend.headers.length > 0 ? [...given, ...backend.headers] : given;
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
      token = await tokens.acquire();
    } catch (error) {
      return hasNoToken(error);
    }
    let isRenewed = false;
    let isReconnected = false;
    while (!this.#left) {
      this.#entry.repeated ||= isRenewed || isReconnected;
      const headers = token === undefined ? own : [...own, "Authorization", `Bearer ${token}`];
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
        if (gatewayModule().repeatsBrokenConnection(reused, body.whole, isReconnected)) {
          isReconnected = true;
          continue;
        }
        if (fails(isConnected ? NO_ANSWER.broke : NO_ANSWER.unreachable)) return true;
        this.#explainNoAnswer(backend, dialect, error);
        return false;
      }
      const { statusCode: status = 0, rawHeaders } = response;
      if (status < 300) tokens.accept(token);
      const isRedirect = status >= 300 && status < 400;
      if (!isRedirect && !gatewayModule().needsReading(status)) {
        if (fails(status, rawHeaders)) {
          response.destroy();
          return true;
        }
        this.#pass(response);
        return false;
      }
      const facts = { isTurn, repeatable: body.whole, repeated: isRenewed, token };
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
        token = await tokens.renew(token, claims);
      } catch (tokenError) {
        return hasNoToken(tokenError);
      }
      if (verdict === "retry-by-client") {
        this.#explain(dialect, 503, error);
        break;
      }
      isRenewed = true;
    }
    // Nothing is known of the backend.
    return fails(NO_ANSWER.left);
  }

  /** Passes an answer on: what was read of its body, and the rest as it comes. */
  #pass(response: IncomingMessage, read?: Buffer, hasMore = true): void {
    // Meanwhile the client may have left.
    if (this.#left) return void response.destroy();
    const client = this.#response;
    const { statusCode = 502, rawHeaders } = response;
    this.#entry.status = statusCode;
    client.sendDate = false;
    // Without the resource's reason phrase, which may hold bytes that cannot be sent.
    const headers = answerHeaders(rawHeaders);
    client.writeHead(statusCode, headers);
    this.#tail = noteAnswer(this.#entry, (name) => headerOf(headers, name));
    if (read !== undefined && read.length > 0) this.#write(read);
    if (!hasMore) return void client.end();
    // The client of a stream may wait for the headers, long before the first event. Those of any
    // other answer are written together with its body.
    if (response.readableLength === 0 && headerOf(headers, "content-length") === undefined)
      client.flushHeaders();
    relay(response, client, this.#setup.limits.idleMs, {
      write: (chunk) => this.#write(chunk),
      onBroken: () => {
        if (!this.#left && !client.writableEnded) this.#entry.outcome = "upstream-broke";
        // Without the end of the body, so that the client sees that the answer is incomplete.
        client.destroy();
      },
    });
  }

  /** Writes a piece of an answer. Returns false if the client is slow. */
  #write(chunk: Buffer): boolean {
    this.#entry.firstByteMs ??= Math.round(systemClock.monotonic() - this.#started);
    this.#entry.responseBytes += chunk.length;
    this.#tail?.add(chunk);
    if (this.#attempts?.makesIds) this.#attempts.read(chunk);
    return this.#response.write(chunk);
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
    if (this.#left) return;
    this.#entry.status = status;
    if (code !== undefined) this.#entry.code = code;
    const response = this.#response;
    // The rest of a body that nobody reads ends the connection.
    if (!this.#request.complete && hasBody(this.#request)) response.shouldKeepAlive = false;
    const headers = {
      "content-length": `${Buffer.byteLength(body)}`,
      ...ownHeaders(status, body, retryAfterMs),
    };
    response.writeHead(status, headers);
    response.end(body);
  }

  #take(bytes: number): boolean {
    const fits = !this.#isOver && this.#context.budget.take(bytes);
    if (fits) this.#taken += bytes;
    return fits;
  }
}

/** For errors of connections that are reported elsewhere. */
const ignore = () => {};

/** Returns the path of a target: no host with a user's name and password, and no query. */
function pathOf(target: string): string {
  const end = target.indexOf("?");
  const path = end < 0 ? target : target.slice(0, end);
  return path.startsWith("/") ? path : path.replace(/^(?:[a-z][a-z\d+.-]*:\/\/)?[^/]*/i, "");
}
