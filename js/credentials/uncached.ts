import type { TokenCredential } from "./credential.js";

/** For each credential with a cache of its own that cannot be cleared: the same identity without a cache. */
const uncached = new WeakMap<TokenCredential, TokenCredential>();

/** Registers the credential that acquires tokens for the same identity without a cache. */
export function noteUncached(credential: TokenCredential, same: TokenCredential): void {
  uncached.set(credential, same);
}

/** The credential that {@link noteUncached} registered. */
export function uncachedOf(credential: TokenCredential): TokenCredential | undefined {
  return uncached.get(credential);
}
