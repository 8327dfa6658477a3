import { core } from "./bindings.js";
import { unref } from "./clock.js";
import type { AccessToken, Clock, TokenCredential } from "./types.js";

/** How long a server has to tell the time: callers wait, and it will tell as well with the next attempt. */
const PATIENCE_MS = 3_000;

/** Where the tokens of a credential are sent: who there checks them, by the true time. */
const resources = new WeakMap<TokenCredential, string>();

/** Tells which resource takes a credential's tokens; one of them will do. */
export function noteResource(credential: TokenCredential, url: string): void {
  resources.set(credential, url);
}

/**
 * A token as the schedule is to see it. One that seems to have expired before it was asked for is looked at again: its own `exp` counts,
 * and if this machine's clock is ahead by more than the token lives, the resource's `Date` shows it. The expiry is then given on this
 * machine's clock.
 */
export async function lookAgain(
  token: AccessToken,
  requestedAt: number,
  credential: TokenCredential,
  clock: Clock,
  signal: AbortSignal,
): Promise<AccessToken> {
  const expiresOn = token.expiresOnTimestamp;
  const expiry = (clockAheadMs: number) =>
    core().secondLook(token.token, expiresOn, requestedAt, clockAheadMs);
  const found = expiry(0) ?? expiry(await clockAhead(resources.get(credential), clock, signal));
  return found === undefined ? token : { ...token, expiresOnTimestamp: found };
}

/** By how much the clock is ahead of a server's, in milliseconds; 0 if the server does not tell. */
async function clockAhead(url: string | undefined, clock: Clock, signal: AbortSignal): Promise<number> {
  if (url === undefined) return 0;
  const askedAt = clock.now();
  const patience = new AbortController();
  const timer = clock.setTimeout(() => patience.abort(), PATIENCE_MS);
  unref(timer);
  try {
    const { headers } = await fetch(url, {
      method: "HEAD",
      redirect: "manual",
      signal: AbortSignal.any([signal, patience.signal]),
    });
    return core().clockAhead(headers.get("date") ?? "", askedAt);
  } catch {
    return 0;
  } finally {
    clock.clearTimeout(timer);
  }
}
