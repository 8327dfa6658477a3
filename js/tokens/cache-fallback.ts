import type { TokenCredential } from "../credentials/credential.js";
import { uncachedOf } from "../credentials/uncached.js";
import type { Clock } from "../platform/clock.js";
import { coreModule } from "../wasm/bindings.js";
import type { AccessToken } from "../wasm/types/token.js";

/**
 * Falls back to the same identity without a cache when a credential that caches tokens itself
 * returns an unusable one. The core decides when, and remembers the rejected tokens.
 */
export class CacheFallback {
  readonly #uncached: TokenCredential | undefined;
  readonly #clock: Clock;
  readonly #rules = new (coreModule().CacheFallback)();

  constructor(credential: TokenCredential, clock: Clock) {
    this.#uncached = uncachedOf(credential);
    this.#clock = clock;
  }

  /** Marks a token as unusable: the resource rejected it, or its expiry was refused. */
  markRejected(token: string): void {
    this.#rules.markRejected(token);
  }

  isRejected(token: string): boolean {
    return this.#rules.isRejected(token);
  }

  /**
   * Acquires a token without the cache. Returns the unusable token if there is no other: the error
   * that it leads to says more than the error of the fallback.
   */
  async replace(
    unusable: AccessToken,
    getToken: (credential: TokenCredential) => Promise<AccessToken>,
    signal: AbortSignal,
  ): Promise<AccessToken> {
    if (!this.#uncached || !this.#rules.mayAsk(this.#clock.monotonic())) return unusable;
    const answer = await getToken(this.#uncached).catch(() => unusable);
    const now = this.#clock.monotonic();
    return this.#rules.answered(unusable.token, answer.token, signal.aborted, now) ? answer : unusable;
  }

  clear(): void {
    this.#rules.clear();
  }
}
