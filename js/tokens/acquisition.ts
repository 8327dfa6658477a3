import { type Attempts, observe } from "../credentials/attempts.js";
import type { GetTokenOptions, TokenCredential } from "../credentials/credential.js";
import { getTokenAfter } from "../credentials/uncached.js";
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
  /** Receives what its requests come to. */
  attempts: Attempts;
  cacheFallback: CacheFallback;
  /** The token that the resource rejected last. A credential that can renew it is told. */
  rejectedToken: string | undefined;
  /**
   * Whether a token is known to be unusable. A credential may return it from its own cache all the
   * same. Called when the credential has answered.
   */
  isUnusable: (token: AccessToken) => boolean;
  /** Called when the direct credential returned a token after the credential failed. */
  onTakenOver: (thrown: unknown) => void;
}

/**
 * Acquires a token from a credential. Falls back to the direct credential if it fails by itself or
 * returns an unusable token from its cache, and corrects the expiry if this machine's clock is
 * wrong. Asynchronous even where the credential throws synchronously.
 */
export function acquire(credential: TokenCredential, acquisition: Acquisition): Promise<AccessToken> {
  const { attempts, options } = acquisition;
  return observe(attempts, options.abortSignal, () => acquireObserved(credential, acquisition));
}

async function acquireObserved(
  credential: TokenCredential,
  { scope, options, clock, cacheFallback, rejectedToken, isUnusable, onTakenOver }: Acquisition,
): Promise<AccessToken> {
  const { abortSignal } = options;
  const getToken = async (from: TokenCredential, rejected?: string) =>
    cleanToken(await getTokenAfter(rejected, from, scope, options));
  let token: AccessToken;
  try {
    token = await getToken(credential, rejectedToken);
    if (isUnusable(token)) token = await cacheFallback.replace(token, getToken, abortSignal);
  } catch (thrown) {
    token = await cacheFallback.takeOver(thrown, getToken, abortSignal);
    onTakenOver(thrown);
  }
  // Read the clock now: MSAL computes the expiry from the time of its own request.
  const now = clock.now();
  if (!coreModule().seemsExpired(token.expiresOnTimestamp, now)) return token;
  return correctClockSkew(token, now, credential, clock, abortSignal);
}
