import type { ErrorCode, GatewayRefusalCode } from "../errors/codes.js";
import type { KeylessError } from "../errors/keyless-error.js";
import { systemClock } from "../platform/clock.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { Dialect, Gateway as Rules } from "../wasm/modules/gateway.js";
import type { Endpoint } from "../wasm/types/provider.js";
import { beginEntry, type GatewayAccess } from "./access-log.js";
import { admit, answerHeaders } from "./admission.js";
import { noteAnswer, noteRequest } from "./call.js";
import { type Begun, begin, joined, nextChunk, nextChunkWithin, type Reader } from "./edge-body.js";
import type { EdgeGatewayLimits } from "./edge-options.js";
import { explanation, keyless, ownHeaders } from "./own-answer.js";
import type { ResourceTokens } from "./token.js";
import {
  judgeFailure,
  MAX_ERROR_BYTES,
  networkError,
  statusOfTokenError,
  UNREADABLE_STATUS,
} from "./verdict.js";

/** What all requests of an edge gateway have in common. */
export interface EdgeContext {
  readonly rules: Rules;
  readonly provider: { readonly endpoint: Endpoint };
  readonly tokens: ResourceTokens;
  /** The origin of the endpoint. */
  readonly origin: string;
  readonly limits: EdgeGatewayLimits;
  /** Headers of the options, which every request gets. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The key of the clients, which no log shows. */
  readonly key: string;
  log(entry: GatewayAccess): void;
  /** Whether somebody receives the entries: what they say of a model's call costs time. */
  readonly isLogged: boolean;
  isClosed(): boolean;
}

/** Where a request goes. */
interface Route {
  dialect: Dialect;
  url: string;
  isTurn: boolean;
  headers: Headers;
}

/** Why a request to the resource was given up. */
type Reason = "client-left" | "timeout" | "too-large";

/** One `fetch` request of a client, and its answer. */
export class EdgeExchange {
  readonly #context: EdgeContext;
  readonly #request: Request;
  readonly #started = systemClock.monotonic();
  readonly #entry: GatewayAccess;
  /** Ends the request to the resource. */
  readonly #upstream = new AbortController();
  #reason: Reason | undefined;
  #dialect: Dialect = "openai";
  #logged = false;

  constructor(context: EdgeContext, request: Request) {
    this.#context = context;
    this.#request = request;
    const { method, url, headers } = request;
    const traceparent = headers.get("traceparent");
    this.#entry = beginEntry({ method, path: new URL(url).pathname, traceparent }, context.key);
  }

  /** Answers the request. Never rejects. */
  async run(): Promise<Response> {
    // Not every platform's requests have a signal.
    const { signal } = this.#request;
    const onLeave = () => this.#giveUp("client-left");
    if (signal?.aborted) onLeave();
    signal?.addEventListener("abort", onLeave, { once: true });
    try {
      return await this.#answer();
    } catch (error) {
      // Such as a client that left while its body was read, or an answer that cannot be passed on.
      this.#upstream.abort();
      return this.#explain(500, keyless(error));
    }
  }

  async #answer(): Promise<Response> {
    const { rules, limits, origin } = this.#context;
    const { method, url, headers } = this.#request;
    const { pathname, search, host } = new URL(url);
    const all = [...headers].flat();
    // Not every platform's requests have the header.
    if (!headers.has("host")) all.unshift("host", host);
    const admission = admit(rules, { method, target: pathname + search, headers: all });
    switch (admission.kind) {
      case "health":
        return this.#send(200, '{"status":"ok"}');
      case "empty":
        return this.#send(200, "");
      case "refuse":
        this.#dialect = admission.dialect;
        return this.#refuse(admission.code);
    }
    const { dialect, target, isTurn, headers: passed } = admission;
    this.#dialect = dialect;
    if (this.#context.isClosed()) return this.#refuse("gateway/closing");
    const declared = Number(headers.get("content-length") ?? 0);
    if (declared > limits.maxBodyBytes) return this.#refuse("gateway/body-too-large");
    const inMemory = Math.min(limits.bufferBytes, limits.maxBodyBytes);
    const body = await begin(this.#request.body, declared > inMemory ? -1 : inMemory);
    this.#entry.requestBytes = body.size;
    if (body.size > limits.maxBodyBytes) {
      body.reader?.cancel().catch(() => {});
      return this.#refuse("gateway/body-too-large");
    }
    if (this.#context.isLogged) {
      noteRequest(this.#entry, pathname + search, { body: body.chunks[0] ?? new Uint8Array() });
    }
    const route = { dialect, url: origin + target, isTurn, headers: this.#headers(passed) };
    return this.#forward(route, body);
  }

  #headers(passed: readonly string[]): Headers {
    const headers = new Headers();
    for (let at = 0; at < passed.length; at += 2)
      headers.append(passed[at] as string, passed[at + 1] as string);
    for (const [name, value] of this.#context.headers) headers.append(name, value);
    // `fetch` would decompress the answer, and its bytes would not be the resource's.
    headers.set("accept-encoding", "identity");
    return headers;
  }

  /** Sends the request, at most twice, and passes on or explains the answer. */
  async #forward(route: Route, body: Begun): Promise<Response> {
    const { provider, tokens, limits } = this.#context;
    let token: string | undefined;
    try {
      token = await tokens.acquire();
    } catch (error) {
      return this.#explainNoToken(error);
    }
    for (let repeated = false; ; repeated = true) {
      this.#entry.repeated = repeated;
      let response: Response;
      try {
        response = await this.#fetch(route, token, body);
      } catch (error) {
        return this.#explainNoAnswer(error);
      }
      const { status, type } = response;
      if (response.ok) tokens.accept(token);
      if (type !== "opaqueredirect" && !gatewayModule().isFinalStatus(status))
        return this.#explainNoAnswer(new Error(UNREADABLE_STATUS));
      const isRedirect = type === "opaqueredirect" || (status >= 300 && status < 400 && status !== 304);
      if (isRedirect) {
        this.#upstream.abort();
        return this.#refuse("gateway/redirect");
      }
      const encoding = response.headers.get("content-encoding");
      // Every platform decompresses gzip. Of other encodings nobody knows what the body is.
      if (isCompressed(encoding) && !/^(x-)?gzip$/i.test(encoding))
        return this.#explainNoAnswer(new Error("the resource compressed an answer although it must not"));
      if (!gatewayModule().needsReading(status)) {
        return this.#pass(response, response.body?.getReader());
      }
      let start: Begun;
      try {
        start = await begin(response.body as Parameters<typeof begin>[0], MAX_ERROR_BYTES, (reader) =>
          nextChunkWithin(reader, limits.idleMs, () => this.#upstream.abort()),
        );
      } catch (error) {
        return this.#explainNoAnswer(error);
      }
      const { verdict, error, claims } = judgeFailure(
        provider,
        {
          status,
          headers: [...response.headers],
          body: new TextDecoder().decode(joined(start.chunks, start.size)),
          challenge: response.headers.get("www-authenticate"),
        },
        { isTurn: route.isTurn, repeatable: body.whole, repeated, token },
      );
      if (verdict === "pass") return this.#pass(response, start.reader, start);
      start.reader?.cancel().catch(() => {});
      if (verdict === "explain") return this.#explain(400, error);
      try {
        token = await tokens.renew(token, claims);
      } catch (tokenError) {
        return this.#explainNoToken(tokenError);
      }
      if (verdict === "retry-by-client") return this.#explain(503, error);
    }
  }

  async #fetch({ url, headers }: Route, token: string | undefined, body: Begun): Promise<Response> {
    const { signal } = this.#upstream;
    signal.throwIfAborted();
    const all = new Headers(headers);
    if (token !== undefined) all.set("authorization", `Bearer ${token}`);
    const timer = systemClock.setTimeout(() => this.#giveUp("timeout"), this.#context.limits.firstByteMs);
    const { method } = this.#request;
    try {
      return await fetch(url, {
        method,
        headers: all,
        redirect: "manual",
        signal,
        ...(body.whole
          ? { body: body.size === 0 ? null : joined(body.chunks, body.size) }
          : this.#rest(body)),
      } as RequestInit);
    } finally {
      systemClock.clearTimeout(timer);
    }
  }

  /** A body that is sent as it arrives. */
  #rest({ chunks, reader }: Begun): { body: ReadableStream; duplex: "half" } {
    const { maxBodyBytes } = this.#context.limits;
    const pull = async (controller: ReadableStreamDefaultController): Promise<void> => {
      const begun = chunks.shift();
      const chunk = begun ?? (await nextChunk(reader as Reader));
      if (chunk === undefined) return controller.close();
      if (begun === undefined) this.#entry.requestBytes += chunk.length;
      if (this.#entry.requestBytes > maxBodyBytes) {
        this.#giveUp("too-large");
        return controller.error(new Error("the body is too large"));
      }
      controller.enqueue(chunk);
    };
    const cancel = () => reader?.cancel();
    return { body: new ReadableStream({ pull, cancel }, { highWaterMark: 0 }), duplex: "half" };
  }

  /** Passes an answer on: what was read of its body, and the rest as it comes. */
  #pass(response: Response, reader: Reader | undefined, start?: Begun): Response {
    const { status } = response;
    this.#entry.status = status;
    let headers: Headers;
    try {
      headers = headersToPass(response);
    } catch {
      return this.#explainNoAnswer(new Error("the answer cannot be read: one of its headers is none"));
    }
    if (reader === undefined || this.#request.method === "HEAD" || [204, 205, 304].includes(status)) {
      this.#log();
      return new Response(null, { status, headers });
    }
    // Decompressed if it was compressed.
    const header = (name: string) => (name === "content-encoding" ? null : response.headers.get(name));
    const tail = noteAnswer(this.#entry, header);
    const chunks = start?.chunks ?? [];
    const read = async () => chunks.shift() ?? (start?.whole ? undefined : await this.#next(reader));
    const pull = async (controller: ReadableStreamDefaultController): Promise<void> => {
      try {
        const chunk = await read();
        if (chunk === undefined) {
          controller.close();
          this.#entry.usage = tail?.usage();
          return this.#log();
        }
        this.#entry.firstByteMs ??= Math.round(systemClock.monotonic() - this.#started);
        this.#entry.responseBytes += chunk.length;
        tail?.add(chunk);
        controller.enqueue(chunk);
      } catch {
        // Without the end of the body, so that the client sees that the answer is incomplete.
        controller.error(new Error("The answer of the resource broke off"));
        this.#log(this.#reason === "client-left" ? "client-left" : "upstream-broke");
      }
    };
    const cancel = () => {
      this.#giveUp("client-left");
      reader.cancel().catch(() => {});
      this.#log("client-left");
    };
    // Reads only what the client asks for: a slow one holds the resource back.
    return new Response(new ReadableStream({ pull, cancel }, { highWaterMark: 0 }), { status, headers });
  }

  /** Reads a chunk of the answer. Only the resource's silence counts, not the client's. */
  #next(reader: Reader): Promise<Uint8Array | undefined> {
    return nextChunkWithin(reader, this.#context.limits.idleMs, () => this.#upstream.abort());
  }

  #giveUp(reason: Reason): void {
    this.#reason ??= reason;
    this.#upstream.abort();
  }

  #refuse(code: GatewayRefusalCode): Response {
    const [status, , body] = gatewayModule().refusal(code, this.#dialect);
    return this.#send(status, body, code);
  }

  #explain(status: number, error: KeylessError): Response {
    return this.#send(status, explanation(this.#dialect, status, error), error.code, error.retryAfterMs);
  }

  #explainNoToken(error: unknown): Response {
    const known = keyless(error);
    return this.#explain(statusOfTokenError(known), known);
  }

  #explainNoAnswer(error: unknown): Response {
    this.#upstream.abort();
    if (this.#reason === "timeout") return this.#refuse("gateway/timeout");
    if (this.#reason === "too-large") return this.#refuse("gateway/body-too-large");
    return this.#explain(502, networkError(this.#context.provider, textOf(error)));
  }

  /** Returns an answer of the gateway's own. */
  #send(status: number, body: string, code?: ErrorCode, retryAfterMs?: number): Response {
    if (this.#reason !== "client-left") {
      this.#entry.status = status;
      if (code !== undefined) this.#entry.code = code;
    }
    this.#log(this.#reason === "client-left" ? "client-left" : "answered");
    const isEmpty = body === "" || this.#request.method === "HEAD";
    return new Response(isEmpty ? null : body, { status, headers: ownHeaders(status, body, retryAfterMs) });
  }

  #log(outcome: GatewayAccess["outcome"] = "answered"): void {
    if (this.#logged) return;
    this.#logged = true;
    const durationMs = Math.round(systemClock.monotonic() - this.#started);
    this.#context.log(Object.assign(this.#entry, { outcome, durationMs }));
  }
}

/** The headers for the client. Throws if the platform's `fetch` took what is no header. */
function headersToPass(response: Response): Headers {
  const headers = new Headers();
  const isDecoded = isCompressed(response.headers.get("content-encoding"));
  const list = answerHeaders([...response.headers].flat());
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at] as string;
    if (!(isDecoded && /^content-(encoding|length)$/.test(name)))
      headers.append(name, list[at + 1] as string);
  }
  return headers;
}

function isCompressed(encoding: string | null): encoding is string {
  return encoding !== null && !/^identity$/i.test(encoding);
}

/** The message of a failed `fetch`. Node's is in its cause. */
function textOf(error: unknown): string {
  const { message = "", cause } = error as { message?: string; cause?: unknown };
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
