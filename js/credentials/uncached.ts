import type { TokenCredential } from "./credential.js";

/**
 * Credentials whose own cache cannot be cleared, and for each a credential of the same identity
 * without a cache.
 */
const uncachedCredentials = new WeakMap<TokenCredential, TokenCredential>();

/** Registers a credential without a cache for the same identity. */
export function registerUncached(credential: TokenCredential, uncached: TokenCredential): void {
  uncachedCredentials.set(credential, uncached);
}

/** Returns the credential that {@link registerUncached} registered. */
export function uncachedOf(credential: TokenCredential): TokenCredential | undefined {
  return uncachedCredentials.get(credential);
}
