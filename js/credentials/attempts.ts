// What an acquisition has seen of its requests so far. A wait may end long before the credential
// gives up: it retries, or hangs.

import type { ClientRequest, IncomingMessage } from "node:http";
import type { KeylessError } from "../errors/keyless-error.js";
import { node } from "../platform/node.js";
import type * as planBindings from "../wasm/modules/plan.js";
import type { AbortSignalLike } from "./credential.js";
import { credentialFailure } from "./failure.js";

/** The requests of an acquisition: the last that failed, and those without an answer. */
export class Attempts {
  /** The host of each request, by any object that stands for it. */
  readonly #pending = new Map<object, string>();
  #refusal: unknown;
  #lost: unknown;

  started(request: object, host: string): void {
    this.#pending.set(request, host);
  }

  answered(request: object, status: number): void {
    this.#pending.delete(request);
    if (status >= 400) this.#refusal = { message: `HTTP ${status}`, statusCode: status };
  }

  /** @param error with the status, if there was an answer */
  failed(request: object, error: unknown, status?: number): void {
    this.#pending.delete(request);
    if (status === undefined) this.#lost = error;
    else this.#refusal = error;
  }

  /** The outage that these requests show; undefined if they show none. A status says the most. */
  outage(core: typeof planBindings, now: number): KeylessError | undefined {
    const [host] = this.#pending.values();
    const silence = host && { message: `no answer from ${host}`, code: "network_error" };
    return [this.#refusal, this.#lost, silence]
      .filter((failure) => failure)
      .map((failure) => credentialFailure(failure, core, now).error)
      .find(({ retryable }) => retryable);
  }
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
  }
}

/** A message of Node's channels about HTTP clients. */
interface Message {
  request: ClientRequest;
  response?: IncomingMessage;
  error?: Error;
}

interface HttpObserver {
  enter(): void;
  run<T>(attempts: Attempts, acquire: () => Promise<T>): Promise<T>;
  leave(): void;
}

let observerReady: HttpObserver | undefined;

/** Undefined on a platform without Node's diagnostics. */
function httpObserver(): HttpObserver | undefined {
  const { asyncHooks, diagnostics } = node;
  if (observerReady || !asyncHooks?.AsyncLocalStorage || !diagnostics?.subscribe) return observerReady;
  const current = new asyncHooks.AsyncLocalStorage<Attempts>();
  const byRequest = new WeakMap<ClientRequest, Attempts>();
  const channels: Record<string, (message: Message) => void> = {
    "http.client.request.start": ({ request }) => {
      const attempts = current.getStore();
      if (!attempts) return;
      byRequest.set(request, attempts);
      attempts.started(request, request.host);
    },
    "http.client.response.finish": ({ request, response }) =>
      byRequest.get(request)?.answered(request, response?.statusCode ?? 0),
    "http.client.request.error": ({ request, error }) => byRequest.get(request)?.failed(request, error),
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
