import { createHash } from "node:crypto";
import type { EmulatorClock } from "./clock.js";
import type { IssuedToken } from "./tokens.js";

/**
 * How long before its expiry a token is replaced, in milliseconds. Azure's articles say "around 24
 * hours" for tokens that live for 24 h and 5 minutes by their claims, and not when the next one
 * comes. Azure's clients ask from five minutes before the expiry on.
 */
const REPLACED_BEFORE_EXPIRY_MS = 300_000;

interface CachedToken {
  readonly token: IssuedToken;
  /** In epoch milliseconds. */
  readonly until: number;
}

/**
 * The cache of the platform behind the managed identity endpoints: one token for each identity and
 * resource, for as long as it lives. No request gets past it, except one that names the cached token
 * as revoked.
 */
export class PlatformCache {
  readonly #clock: EmulatorClock;
  readonly #tokens = new Map<string, Promise<CachedToken | undefined>>();

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
  }

  /**
   * Returns the cached token, or a new one.
   *
   * @param revokedSha256 the hash of a revoked token, in lower-case hexadecimal digits. If the
   *   cached token is another one, that was renewed already and is returned.
   */
  async token(
    key: string,
    revokedSha256: string | undefined,
    issue: (renewed: boolean) => Promise<IssuedToken>,
  ): Promise<IssuedToken> {
    const earlier = this.#tokens.get(key) ?? Promise.resolve(undefined);
    // Requests for one token follow one another: a hundred at once get the same.
    const current = earlier.then(async (cached) => {
      const renews = cached !== undefined && sha256(cached.token.token) === revokedSha256;
      if (cached && this.#clock.now() < cached.until && !renews) return cached;
      const issuedOn = this.#clock.now();
      const token = await issue(renews);
      return { token, until: keptUntil(token, issuedOn) };
    });
    this.#tokens.set(
      key,
      current.catch(() => undefined),
    );
    return (await current).token;
  }
}

/** A token of less than ten minutes is kept for half its life. */
function keptUntil({ expiresOn }: IssuedToken, issuedOn: number): number {
  const expiry = expiresOn * 1000;
  return expiry - Math.min(REPLACED_BEFORE_EXPIRY_MS, (expiry - issuedOn) / 2);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
