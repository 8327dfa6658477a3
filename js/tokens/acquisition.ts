import type { GetTokenOptions, TokenCredential } from "../credentials/credential.js";
import type { Clock } from "../platform/clock.js";
import { coreModule } from "../wasm/bindings.js";
import type { AccessToken } from "../wasm/types/token.js";
import type { CacheFallback } from "./cache-fallback.js";
import { cleanToken } from "./clean-token.js";
import { correctClockSkew } from "./clock-skew.js";

/** One attempt to acquire a token. */
export interface Acquisition {
  scope: string | string[];
  options: GetTokenOptions & { abortSignal: AbortSignal };
  clock: Clock;
  cacheFallback: CacheFallback;
  /**
   * Whether a token is known to be unusable. A credential may return it from its own cache all the
   * same. Called when the credential has answered.
   */
  isUnusable: (token: string) => boolean;
}

/**
 * Acquires a token from a credential. Bypasses the credential's cache if it returns an unusable
 * token, and corrects the expiry if this machine's clock is wrong. Asynchronous even where the
 * credential throws synchronously.
 */
export async function acquire(
  credential: TokenCredential,
  { scope, options, clock, cacheFallback, isUnusable }: Acquisition,
): Promise<AccessToken> {
  const getToken = async (from: TokenCredential) => cleanToken(await from.getToken(scope, options));
  const first = await getToken(credential);
  // A credential that ignores the claims of a challenge does so without its cache, too.
  const bypass = options.claims === undefined && isUnusable(first.token);
  const token = bypass ? await cacheFallback.replace(first, getToken, options.abortSignal) : first;
  // Read the clock now: MSAL computes the expiry from the time of its own request.
  const now = clock.now();
  if (!coreModule().seemsExpired(token.expiresOnTimestamp, now)) return token;
  return correctClockSkew(token, now, credential, clock, options.abortSignal);
}
