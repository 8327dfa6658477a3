import type { AccessToken, TokenCredential } from "./types.js";

/** For credentials that keep tokens, and cannot be made to forget them: the same identity, asked without a cache. */
const uncached = new WeakMap<TokenCredential, TokenCredential>();

/** Tells what asks for the same identity as a credential, past its cache. */
export function noteUncached(credential: TokenCredential, same: TokenCredential): void {
  uncached.set(credential, same);
}

/** A token that is not from the credential's cache; `undefined` where there is no way past it, or it leads nowhere. */
export async function pastCache(
  credential: TokenCredential,
  ask: (credential: TokenCredential) => Promise<AccessToken>,
): Promise<AccessToken | undefined> {
  const same = uncached.get(credential);
  try {
    return same && (await ask(same));
  } catch {
    // What the credential itself gave tells more than this.
    return undefined;
  }
}
