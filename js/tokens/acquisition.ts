import type { GetTokenOptions, TokenCredential } from "../credentials/credential.js";
import type { Clock } from "../platform/clock.js";
import { coreModule } from "../wasm/bindings.js";
import type { AccessToken } from "../wasm/token.js";
import type { PastCache } from "./cache-fallback.js";
import { lookAgain } from "./clock-skew.js";
import { cleanToken } from "./text.js";

/** One attempt to get a token. */
export interface Acquisition {
  scope: string | string[];
  options: GetTokenOptions & { abortSignal: AbortSignal };
  clock: Clock;
  past: PastCache;
  /** Whether a token is of no use. A credential with a cache of its own may give it all the same. Asked when the answer has come. */
  isUseless: (token: string) => boolean;
}

/** Asks a credential, and makes the best of its answer. Asynchronous even where the credential throws at once. */
export async function acquire(
  credential: TokenCredential,
  { scope, options, clock, past, isUseless }: Acquisition,
): Promise<AccessToken> {
  const ask = async (whom: TokenCredential) => cleanToken(await whom.getToken(scope, options));
  const given = await ask(credential);
  // Who drops the claims of a challenge does so without a cache, too.
  const other = options.claims === undefined && isUseless(given.token);
  const token = other ? await past.instead(given, ask, options.abortSignal) : given;
  // By the time of now: MSAL's "now" is that of its own request.
  const now = clock.now();
  if (!coreModule().seemsExpired(token.expiresOnTimestamp, now)) return token;
  return lookAgain(token, now, credential, clock, options.abortSignal);
}
