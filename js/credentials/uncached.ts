import type { AccessToken } from "../wasm/types/token.js";
import type { GetTokenOptions, TokenCredential } from "./credential.js";

/** Direct credentials of the same identity, which cache nothing. */
export interface Uncached {
  /** For an unusable token from the cache. */
  credential: TokenCredential;
  /** For a failure of the other credential, if it may take over. */
  onFailure?: TokenCredential;
}

/** Acquires a token in the place of one that the resource rejected. */
type Renew = (
  scopes: string | string[],
  options: GetTokenOptions,
  rejectedToken: string,
) => Promise<AccessToken>;

/** Credentials whose own cache cannot be cleared. */
const uncachedCredentials = new WeakMap<TokenCredential, Uncached>();
/** Credentials that can ask the platform to renew a rejected token. */
const renewals = new WeakMap<TokenCredential, Renew>();

/** Registers the direct credentials of the same identity. */
export function registerUncached(credential: TokenCredential, uncached: Uncached): void {
  uncachedCredentials.set(credential, uncached);
}

/** Returns what {@link registerUncached} registered. */
export function uncachedOf(credential: TokenCredential): Uncached | undefined {
  return uncachedCredentials.get(credential);
}

/** Registers how a credential renews a rejected token. */
export function registerRenewal(credential: TokenCredential, renew: Renew): void {
  renewals.set(credential, renew);
}

/** Acquires a token. A credential that can renew tokens learns which one was rejected. */
export function getTokenAfter(
  rejectedToken: string | undefined,
  credential: TokenCredential,
  scopes: string | string[],
  options: GetTokenOptions,
): Promise<AccessToken | null> {
  const renew = rejectedToken === undefined ? undefined : renewals.get(credential);
  return renew ? renew(scopes, options, rejectedToken as string) : credential.getToken(scopes, options);
}
