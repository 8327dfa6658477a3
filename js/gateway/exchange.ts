import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream";
import type { ErrorCode, GatewayRefusalCode } from "../errors/codes.js";
import type { KeylessError } from "../errors/keyless-error.js";
import type { FoundryProvider } from "../foundry/provider.js";
import { systemClock } from "../platform/clock.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { Dialect, Gateway as Rules } from "../wasm/modules/gateway.js";
import type { GatewayAccess } from "./access-log.js";
import { type Body, type Budget, declaredSize, readBody } from "./body.js";
import { type Failure, readFailure } from "./failure.js";
import { toList, toText } from "./header-text.js";
import type { GatewayLimits } from "./options.js";
import { explanation, keyless, ownHeaders } from "./own-answer.js";
import { acquireToken, renewToken } from "./token.js";
import { type Upstream, UpstreamError } from "./upstream.js";
import { networkError, statusOfTokenError } from "./verdict.js";

/** What all requests of a gateway have in common. */
export interface Context {
  readonly rules: Rules;
  readonly provider: FoundryProvider;
  readonly upstream: Upstream;
  readonly limits: GatewayLimits;
  readonly budget: Budget;
  /** Headers of the options, which every request gets. */
  readonly headers: readonly string[];
  /** The key of the clients, which no log shows. */
  readonly key: string;
  /** The requests that are forwarded. */
  readonly active: Set<Exchange>;
  /** Why no further request is accepted now. */
  refusal(): GatewayRefusalCode | undefined;
}

/** Where a request goes. */
interface Route {
  dialect: Dialect;
  target: string;
  isTurn: boolean;
  headers: readonly string[];
}

/** One request of a client, and its answer. */
export class Exchange {
  readonly #context: Context;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #started = systemClock.monotonic();
  readonly #entry: GatewayAccess;
  /** The request to the resource that is in progress. */
  #sent: ClientRequest | undefined;
  #dialect: Dialect = "openai";
  #left = false;
  #taken = 0;

  constructor(context: Context, request: IncomingMessage, response: ServerResponse) {
    this.#context = context;
    this.#request = request;
    this.#response = response;
    this.#entry = {
      at: systemClock.now(),
      method: request.method ?? "",
      path: pathOf(request.url ?? "").replaceAll(context.key, "[redacted]"),
      status: 0,
      repeated: false,
      outcome: "answered",
      durationMs: 0,
      requestBytes: 0,
      responseBytes: 0,
    };
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
    const { rules, limits } = this.#context;
    const { method = "", url = "", rawHeaders } = this.#request;
    const admission = rules.admit(method, url, toText(rawHeaders));
    switch (admission[0]) {
      case "health":
        return this.#send(200, '{"status":"ok"}');
      case "empty":
        return this.#send(200, "");
      case "refuse":
        return this.#refuse(admission[2], admission[1]);
    }
    const [, dialect, target, isTurn, headers] = admission;
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
    if (!body.whole) {
      this.#request.on("data", (chunk: Buffer) => {
        this.#entry.requestBytes += chunk.length;
      });
      this.#request.pause();
    }
    const all = [...toList(headers), ...this.#context.headers];
    await this.#forward({ dialect, target, isTurn, headers: all }, body);
  }

  /** Sends the request, at most twice, and passes on or explains the answer. */
  async #forward(route: Route, body: Body): Promise<void> {
    const { provider, upstream } = this.#context;
    const { method = "" } = this.#request;
    let token: string | undefined;
    try {
      token = await acquireToken(provider);
    } catch (error) {
      return this.#explainNoToken(route.dialect, error);
    }
    for (let repeated = false; !this.#left; repeated = true) {
      this.#entry.repeated = repeated;
      const authorization = token === undefined ? [] : ["Authorization", `Bearer ${token}`];
      const headers = [...route.headers, ...authorization];
      const outgoing = { method, target: route.target, headers, body, source: this.#request };
      let response: IncomingMessage;
      try {
        response = await upstream.send(outgoing, (request) => {
          this.#sent = request;
        });
      } catch (error) {
        if (this.#left) return;
        const { reused = false } = error as Partial<UpstreamError>;
        if (gatewayModule().repeatsBrokenConnection(reused, body.whole, repeated)) continue;
        return this.#explainNoAnswer(route.dialect, error);
      }
      const { statusCode: status = 0 } = response;
      const isRedirect = status >= 300 && status < 400;
      if (!isRedirect && !gatewayModule().needsReading(status)) return this.#pass(response);
      const facts = { isTurn: route.isTurn, repeatable: body.whole, repeated, token };
      let failure: Failure;
      try {
        failure = await readFailure(provider, response, facts, this.#context.limits.idleMs);
      } catch (error) {
        response.destroy();
        if (this.#left || !(error instanceof UpstreamError)) throw error;
        return this.#explainNoAnswer(route.dialect, error);
      }
      const { verdict, error, claims, bytes, hasMore } = failure;
      if (verdict === "pass") return this.#pass(response, bytes, hasMore);
      response.destroy();
      if (verdict === "redirect") return this.#refuse("gateway/redirect", route.dialect);
      if (verdict === "explain") return this.#explain(route.dialect, 400, error);
      try {
        token = await renewToken(provider, token, claims);
      } catch (tokenError) {
        return this.#explainNoToken(route.dialect, tokenError);
      }
      if (verdict === "retry-by-client") return this.#explain(route.dialect, 503, error);
    }
  }

  /** Passes an answer on: what was read of its body, and the rest as it comes. */
  #pass(response: IncomingMessage, read?: Buffer, hasMore = true): void {
    const client = this.#response;
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
    const idle = systemClock.setTimeout(silent, this.#context.limits.idleMs) as NodeJS.Timeout;
    const count = (chunk: Buffer) => {
      this.#entry.firstByteMs ??= Math.round(systemClock.monotonic() - this.#started);
      this.#entry.responseBytes += chunk.length;
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

  #refuse(code: GatewayRefusalCode, dialect: Dialect): void {
    const [status, , body] = gatewayModule().refusal(code, dialect);
    this.#send(status, body, code);
  }

  #explain(dialect: Dialect, status: number, error: KeylessError): void {
    this.#send(status, explanation(dialect, status, error), error.code, error.retryAfterMs);
  }

  #explainNoToken(dialect: Dialect, error: unknown): void {
    const known = keyless(error);
    this.#explain(dialect, statusOfTokenError(known), known);
  }

  #explainNoAnswer(dialect: Dialect, error: unknown): void {
    const { reason, message } = error as UpstreamError;
    if (reason === "timeout") this.#refuse("gateway/timeout", dialect);
    else if (reason === "too-large") this.#refuse("gateway/body-too-large", dialect);
    else this.#explain(dialect, 502, networkError(this.#context.provider, message));
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
