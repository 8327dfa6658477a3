// What an acquisition has seen of its requests so far. A wait may end long before the credential
// gives up: it retries, or hangs.

import type { ClientRequest, IncomingMessage } from "node:http";
import { type KeylessError, withRetryAfter } from "../errors/keyless-error.js";
import { type Clock, unref } from "../platform/clock.js";
import { node } from "../platform/node.js";
import type { AbortSignalLike } from "./credential.js";
import { type CredentialFailure, credentialFailure, NO_RESPONSE } from "./failure.js";

/** How long a request may still bring a token after its acquisition was given up. */
const LATE_MS = 60_000;

/** A request of an acquisition. */
interface Sent {
  host: string;
  /** Whether a proxy is between. */
  proxied?: boolean;
  /** What a credential sends that takes no signal, as MSAL. */
  request?: ClientRequest;
}

/** The requests of an acquisition: the last that failed, and those without an answer. */
export class Attempts {
  /** By any object that stands for the request. */
  readonly #pending = new Map<object, Sent>();
  /** Those that are not over: an answer may have begun. */
  readonly #open = new Set<ClientRequest>();
  readonly #statuses = new Set<number>();
  readonly #clock: Clock;
  #refusal: unknown;
  /** When the refusal came, on the monotonic clock. Its `Retry-After` counts from then. */
  #refusedAt = 0;
  #lost: unknown;
  #isGivenUp = false;
  #limit: unknown;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  started(request: object, sent: Sent): void {
    this.#pending.set(request, sent);
    if (!sent.request) return;
    const { request: open } = sent;
    this.#open.add(open);
    open.once("close", () => this.#open.delete(open));
    if (this.#isGivenUp) destroy(open);
  }

  /**
   * Lets the process end although requests are in progress, and ends them after a minute: until then,
   * one may still bring a token. Ends further ones at once.
   */
  giveUp(): void {
    this.#isGivenUp = true;
    if (this.#open.size === 0) return;
    for (const request of this.#open) {
      if (request.socket) request.socket.unref();
      else request.once("socket", (socket) => socket.unref());
    }
    this.#limit = this.#clock.setTimeout(() => this.cut(), LATE_MS);
    unref(this.#limit);
  }

  /** Ends the requests in progress, and further ones. */
  cut(): void {
    this.#isGivenUp = true;
    for (const request of this.#open) destroy(request);
    this.end();
  }

  /** Notes that the credential has answered. */
  end(): void {
    this.#clock.clearTimeout(this.#limit);
  }

  answered(request: object, status: number, headers?: object): void {
    this.#pending.delete(request);
    this.#statuses.add(status);
    if (status >= 400) this.#refused({ message: `HTTP ${status}`, statusCode: status, headers });
  }

  /** @param error with the status, if there was an answer */
  failed(request: object, error: unknown, status?: number): void {
    this.#pending.delete(request);
    if (status === undefined) this.#lost = error;
    else this.#refused(error);
  }

  #refused(refusal: unknown): void {
    this.#refusal = refusal;
    this.#refusedAt = this.#clock.monotonic();
  }

  /** A proxy answered in place of the host. */
  answeredByProxy(request: object, host: string, status: number): void {
    this.failed(request, { message: `HTTP ${status} from the proxy for ${host}`, code: NO_RESPONSE });
  }

  /**
   * The outage that these requests show, with what is left of its `Retry-After`; undefined if they
   * show none. A status says the most.
   */
  outage(): KeylessError | undefined {
    const [silent] = this.#pending.values();
    const silence = silent && {
      message: `no answer from ${silent.proxied ? "the proxy for " : ""}${silent.host}`,
      code: NO_RESPONSE,
    };
    const elapsedMs = this.#clock.monotonic() - this.#refusedAt;
    const outage = [this.#refusal, this.#lost, silence]
      .filter((failure) => failure)
      .map((failure) => credentialFailure(failure, this.#clock.now() - elapsedMs).error)
      .find(({ retryable }) => retryable);
    const leftMs = (outage?.retryAfterMs ?? 0) - elapsedMs;
    return outage && withRetryAfter(outage, leftMs > 0 ? leftMs : undefined);
  }

  /**
   * The failure of the credential, or what its requests show if it reports a status that none of them
   * had: `@azure/identity` reports a lost connection to Entra as HTTP 400.
   */
  corrected(thrown: unknown, now: number): CredentialFailure {
    const failure = credentialFailure(thrown, now);
    const { status } = failure;
    const isInvented = status !== undefined && !this.#statuses.has(status);
    if (!this.#lost || !(isInvented || failure.error.code === "credential/network")) return failure;
    const { message, code } = this.#lost as { message?: unknown; code?: unknown };
    return credentialFailure({ message, code: code ?? NO_RESPONSE, cause: wrapped(thrown) }, now);
  }
}

/** Ends a request. With this code, `@azure/identity` does not send it again. */
function destroy(request: ClientRequest): void {
  request.destroy(Object.assign(new Error("The acquisition was given up"), { code: "ABORT_ERR" }));
}

/** An error as a cause without its status. */
function wrapped(thrown: unknown): unknown {
  const { name, message, stack } = thrown as Error;
  return Object.assign(new Error(message), { name, stack });
}

/** The attempts of acquisitions in progress, by the signal that their credential receives. */
const bySignal = new WeakMap<AbortSignalLike, Attempts>();

/** Returns the attempts of an acquisition. */
export function attemptsOf(signal: AbortSignalLike | undefined): Attempts | undefined {
  return signal && bySignal.get(signal);
}

/**
 * Observes the requests that `acquire` makes: those of the direct credential, which reports them by
 * the signal, and in Node those of `node:http`, which `@azure/identity` uses.
 */
export async function observe<T>(
  attempts: Attempts,
  signal: AbortSignalLike,
  acquire: () => Promise<T>,
): Promise<T> {
  bySignal.set(signal, attempts);
  const observer = httpObserver();
  if (!observer) return acquire();
  observer.enter();
  try {
    return await observer.run(attempts, acquire);
  } finally {
    observer.leave();
    attempts.end();
  }
}

/** Sends a request that reports itself by the signal of its credential. Nothing else observes it. */
export function unobserved<T>(send: () => Promise<T>): Promise<T> {
  return observerReady ? observerReady.run(undefined, send) : send();
}

/** A message of Node's channels about HTTP clients. */
interface Message {
  request: ClientRequest;
  response?: IncomingMessage;
  error?: Error & { port?: unknown };
}

interface HttpObserver {
  enter(): void;
  run<T>(attempts: Attempts | undefined, acquire: () => Promise<T>): Promise<T>;
  leave(): void;
}

let observerReady: HttpObserver | undefined;

/** Undefined on a platform without Node's diagnostics. */
function httpObserver(): HttpObserver | undefined {
  const { asyncHooks, diagnostics } = node;
  if (observerReady || !asyncHooks?.AsyncLocalStorage || !diagnostics?.subscribe) return observerReady;
  const current = new asyncHooks.AsyncLocalStorage<Attempts | undefined>();
  const byRequest = new WeakMap<ClientRequest, Attempts>();
  // A request through a tunnel that was refused has not started.
  const attemptsFor = (request: ClientRequest) => byRequest.get(request) ?? current.getStore();
  const channels: Record<string, (message: Message) => void> = {
    "http.client.request.start": ({ request }) => {
      const attempts = current.getStore();
      if (!attempts) return;
      byRequest.set(request, attempts);
      attempts.started(request, { host: request.host, proxied: isProxied(request), request });
    },
    "http.client.response.finish": ({ request, response }) => {
      const { statusCode = 0 } = response ?? {};
      const attempts = attemptsFor(request);
      if (isProxied(request, response) && !isJson(response) && statusCode >= 400)
        attempts?.answeredByProxy(request, request.host, statusCode);
      else attempts?.answered(request, statusCode, response?.headers);
    },
    "http.client.request.error": ({ request, error }) =>
      attemptsFor(request)?.failed(request, isProxied(request) ? proxyLost(request, error) : error),
  };
  const each = (act: "subscribe" | "unsubscribe") => {
    for (const [name, listener] of Object.entries(channels)) diagnostics[act](name, listener as () => void);
  };
  let running = 0;
  // Costs nothing while no token is acquired.
  observerReady = {
    enter: () => {
      if (running === 0) each("subscribe");
      running += 1;
    },
    run: (attempts, acquire) => current.run(attempts, acquire),
    leave: () => {
      running -= 1;
      if (running > 0) return;
      each("unsubscribe");
      current.disable();
    },
  };
  return observerReady;
}

/**
 * Whether a request goes through a proxy: the agents of `@azure/identity` have its address. An
 * `https` request that is answered without TLS was answered by the proxy.
 */
function isProxied(request: ClientRequest, response?: IncomingMessage): boolean {
  const { agent } = request as ClientRequest & { agent?: { proxy?: unknown } };
  const proxied = agent?.proxy instanceof URL;
  return proxied && !(response?.socket as { encrypted?: boolean } | undefined)?.encrypted;
}

function isJson(response: IncomingMessage | undefined): boolean {
  return /json/i.test(response?.headers["content-type"] ?? "");
}

/** The error of a proxy that cannot be reached. */
function proxyLost({ host }: ClientRequest, error: Error | undefined): unknown {
  const said = error?.message ?? "no reason";
  return { message: `no connection to the proxy for ${host}: ${said}`, code: NO_RESPONSE };
}
