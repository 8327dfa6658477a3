import { KeylessError } from "../errors/keyless-error.js";
import type { EmulatorClock } from "./clock.js";
import { type ErrorAnswer, resourceError } from "./errors.js";

/** The rate limits of a deployment. A limit that is left out does not exist. */
export interface Quota {
  readonly requestsPerMinute?: number;
  /**
   * Counts, as Azure does, the tokens of the prompt and the limit of output tokens that the request
   * sets; without one, the tokens of the reply.
   */
  readonly tokensPerMinute?: number;
}

interface Counter {
  readonly quota: Quota;
  /** Epoch milliseconds. */
  resetsOn: number;
  requests: number;
  tokens: number;
}

const MINUTE_MS = 60_000;

/**
 * Counts requests and tokens per deployment. Both counts start over a minute after the first request
 * that they contain. Azure resets the token count each minute, too, and measures requests over 1 or
 * 10 seconds, which this does not:
 * https://learn.microsoft.com/azure/ai-foundry/openai/how-to/quota#understanding-rate-limits
 */
export class Quotas {
  readonly #clock: EmulatorClock;
  readonly #counters = new Map<string, Counter>();

  constructor(clock: EmulatorClock, quotas: Readonly<Record<string, Quota>>) {
    this.#clock = clock;
    for (const [deployment, quota] of Object.entries(quotas)) this.set(deployment, quota);
  }

  /** Sets the quota of a deployment, and starts its counts over. `undefined`: no limits. */
  set(deployment: string, quota: Quota | undefined): void {
    if (quota === undefined) this.#counters.delete(deployment);
    else this.#counters.set(deployment, { quota, resetsOn: 0, requests: 0, tokens: 0 });
  }

  clear(): void {
    this.#counters.clear();
  }

  /**
   * Counts a request. Returns the 429 of one that exceeds a limit, which is not counted: Azure
   * refuses what comes after the limit is reached, not the request that reaches it.
   */
  admit(deployment: string): ErrorAnswer | undefined {
    const counter = this.#current(deployment);
    if (!counter) return undefined;
    const { requestsPerMinute = Number.POSITIVE_INFINITY, tokensPerMinute = Number.POSITIVE_INFINITY } =
      counter.quota;
    const limit = counter.tokens >= tokensPerMinute ? "token" : "call";
    if (limit === "call" && counter.requests < requestsPerMinute) {
      counter.requests += 1;
      return undefined;
    }
    const retryAfterMs = Math.max(1, counter.resetsOn - this.#clock.now());
    const retryAfterSeconds = Math.ceil(retryAfterMs / 1000);
    const refused = resourceError("rate-limited", { retryAfterSeconds, limit });
    return {
      status: refused.status,
      body: refused.body,
      headers: {
        "retry-after": String(retryAfterSeconds),
        "retry-after-ms": String(Math.ceil(retryAfterMs)),
        // https://github.com/openai/openai-python/issues/937
        ...(limit === "token" ? { "policy-id": "DeploymentRatelimit-Token" } : {}),
        ...this.headers(deployment),
      },
    };
  }

  /** Counts the tokens of an admitted request. */
  spend(deployment: string, tokens: number): void {
    const counter = this.#current(deployment);
    if (counter) counter.tokens += tokens;
  }

  /**
   * The headers of a response. Names and units as in
   * https://learn.microsoft.com/answers/questions/5625878 (`reset`: whole seconds).
   */
  headers(deployment: string): Record<string, string> {
    const counter = this.#current(deployment);
    if (!counter) return {};
    const { quota, requests, tokens, resetsOn } = counter;
    const reset = String(Math.ceil(Math.max(0, resetsOn - this.#clock.now()) / 1000));
    const of = (name: string, limit: number | undefined, used: number): [string, string][] =>
      limit === undefined
        ? []
        : [
            [`x-ratelimit-limit-${name}`, String(limit)],
            [`x-ratelimit-remaining-${name}`, String(Math.max(0, limit - used))],
            [`x-ratelimit-reset-${name}`, reset],
          ];
    return Object.fromEntries([
      ...of("requests", quota.requestsPerMinute, requests),
      ...of("tokens", quota.tokensPerMinute, tokens),
    ]);
  }

  #current(deployment: string): Counter | undefined {
    const counter = this.#counters.get(deployment);
    const now = this.#clock.now();
    if (counter && now >= counter.resetsOn) {
      Object.assign(counter, { resetsOn: now + MINUTE_MS, requests: 0, tokens: 0 });
    }
    return counter;
  }
}

/** Checks a quota. Throws a KeylessError `emulator/invalid-option`. */
export function checkQuota(quota: unknown, name: string): Quota {
  const need = (condition: boolean, sentence: string) => {
    if (!condition) throw new KeylessError("emulator/invalid-option", sentence);
  };
  need(
    typeof quota === "object" && quota !== null && !Array.isArray(quota),
    `\`${name}\` must be an object.`,
  );
  let copy: Record<string, unknown> = {};
  try {
    copy = { ...(quota as Record<string, unknown>) };
  } catch {
    need(false, `\`${name}\` cannot be read: a getter of it throws.`);
  }
  for (const [field, limit] of Object.entries(copy)) {
    need(
      field === "requestsPerMinute" || field === "tokensPerMinute",
      `\`${name}\` has no field \`${field}\`; it has requestsPerMinute, tokensPerMinute.`,
    );
    need(
      limit === undefined || (Number.isSafeInteger(limit) && (limit as number) >= 0),
      `\`${name}.${field}\` must be a whole number from 0 on.`,
    );
  }
  return copy;
}
