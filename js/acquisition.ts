import { core } from "./bindings.js";
import { pastCache } from "./past-cache.js";
import { lookAgain } from "./second-look.js";
import { cleanToken } from "./token-text.js";
import type { AccessToken, Clock, GetTokenOptions, TokenCredential } from "./types.js";

/** One attempt to get a token. */
export interface Acquisition {
  scope: string | string[];
  options: GetTokenOptions & { abortSignal: AbortSignal };
  /** The tokens that are of no use any more. A credential with a cache of its own may give one of them all the same. */
  unwanted: (string | undefined)[];
  /** Epoch milliseconds. */
  requestedAt: number;
  clock: Clock;
}

/** Asks a credential, and makes the best of its answer. Asynchronous even where the credential throws at once. */
export async function acquire(
  credential: TokenCredential,
  { scope, options, unwanted, requestedAt, clock }: Acquisition,
): Promise<AccessToken> {
  const ask = async (whom: TokenCredential) => cleanToken(await whom.getToken(scope, options));
  const given = await ask(credential);
  const token = unwanted.includes(given.token) ? ((await pastCache(credential, ask)) ?? given) : given;
  if (!core().seemsExpired(token.expiresOnTimestamp, requestedAt)) return token;
  return lookAgain(token, requestedAt, credential, clock, options.abortSignal);
}
