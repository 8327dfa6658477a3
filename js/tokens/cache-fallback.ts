import type { TokenCredential } from "../credentials/credential.js";
import { uncachedOf } from "../credentials/uncached.js";
import type { Clock } from "../platform/clock.js";
import type { AccessToken } from "../wasm/types/token.js";

/** More tokens than this are never rejected within the lifetime of one. */
const MAX_REJECTED = 16;

/** How long to wait after a fallback that returned no new token. */
const PAUSE_MS = 10_000;

/**
 * Remembers rejected tokens of a credential that caches tokens itself, and falls back to the same
 * identity without a cache when the credential returns one of them again.
 */
export class CacheFallback {
  readonly #uncached: TokenCredential | undefined;
  readonly #clock: Clock;
  readonly #rejected = new Set<string>();
  /** On the monotonic clock. */
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(credential: TokenCredential, clock: Clock) {
    this.#uncached = uncachedOf(credential);
    this.#clock = clock;
  }

  /** Marks a token as unusable: the resource rejected it, or its expiry was refused. */
  markRejected(token: string): void {
    this.#rejected.add(token);
    const [oldest] = this.#rejected;
    if (this.#rejected.size > MAX_REJECTED && oldest !== undefined) this.#rejected.delete(oldest);
  }

  isRejected(token: string): boolean {
    return this.#rejected.has(token);
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
    if (!this.#uncached || this.#clock.monotonic() < this.#pausedUntil) return unusable;
    const replacement = await getToken(this.#uncached).catch(() => unusable);
    if (replacement.token !== unusable.token && !this.isRejected(replacement.token)) return replacement;
    // An aborted attempt only lacked time: no pause after it.
    if (!signal.aborted) this.#pausedUntil = this.#clock.monotonic() + PAUSE_MS;
    return unusable;
  }

  clear(): void {
    this.#rejected.clear();
  }
}
