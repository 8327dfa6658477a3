import type { TokenCredential } from "../credentials/credential.js";
import { uncachedOf } from "../credentials/uncached.js";
import type { Clock } from "../platform/clock.js";
import type { AccessToken } from "../wasm/token.js";

/** More tokens than these were never rejected while one of them lived. */
const SPENT_MAX = 16;

/** A way that brought nothing new is not taken again for so long. */
const PAUSE_MS = 10_000;

/** What is known of a credential that may give tokens of a cache of its own: those that are of no use, and the way past it. */
export class PastCache {
  readonly #uncached: TokenCredential | undefined;
  readonly #clock: Clock;
  readonly #spent = new Set<string>();
  /** On the monotonic clock. */
  #closedUntil = Number.NEGATIVE_INFINITY;

  constructor(credential: TokenCredential, clock: Clock) {
    this.#uncached = uncachedOf(credential);
    this.#clock = clock;
  }

  /** This token is of no use any more: it was rejected, or its expiry was refused. */
  spend(token: string): void {
    this.#spent.add(token);
    const [oldest] = this.#spent;
    if (this.#spent.size > SPENT_MAX && oldest !== undefined) this.#spent.delete(oldest);
  }

  isSpent(token: string): boolean {
    return this.#spent.has(token);
  }

  /** A token in the place of one that is of no use. If there is none to be had, that one: it tells more than why not. */
  async instead(
    given: AccessToken,
    ask: (credential: TokenCredential) => Promise<AccessToken>,
    signal: AbortSignal,
  ): Promise<AccessToken> {
    if (!this.#uncached || this.#clock.monotonic() < this.#closedUntil) return given;
    const other = await ask(this.#uncached).catch(() => given);
    if (other.token !== given.token && !this.isSpent(other.token)) return other;
    // What was broken off led nowhere for want of time.
    if (!signal.aborted) this.#closedUntil = this.#clock.monotonic() + PAUSE_MS;
    return given;
  }

  forget(): void {
    this.#spent.clear();
  }
}
