import type { TokenCredential } from "../credentials/credential.js";
import type { Clock } from "../platform/clock.js";
import { unref } from "../platform/clock.js";
import { coreModule } from "../wasm/bindings.js";
import type { AccessToken } from "../wasm/token.js";

/** How long a server has to tell the time: callers wait, and it will tell as well with the next attempt. */
const PATIENCE_MS = 3_000;

/** Where the tokens of a credential are sent: who there checks them, by the true time. */
const resources = new WeakMap<TokenCredential, string>();

/** Tells which resource takes a credential's tokens; one of them will do. */
export function noteResource(credential: TokenCredential, url: string): void {
  resources.set(credential, url);
}

/**
 * A token as the schedule is to see it. One that seems to have expired when it comes is looked at again: its own `exp` counts,
 * and if this machine's clock is ahead by more than the token lives, the resource's `Date` shows it. The expiry is then given on this
 * machine's clock.
 */
export async function lookAgain(
  token: AccessToken,
  now: number,
  credential: TokenCredential,
  clock: Clock,
  signal: AbortSignal,
): Promise<AccessToken> {
  const expiry = (date: string, askedAt: number) =>
    coreModule().secondLook(token.token, token.expiresOnTimestamp, now, date, askedAt);
  const found = expiry("", 0) ?? expiry(...(await timeAt(resources.get(credential), clock, signal)));
  return found === undefined ? token : { ...token, expiresOnTimestamp: found };
}

/** A server's `Date`, empty if it does not tell, and when it was asked. */
async function timeAt(
  url: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<[date: string, askedAt: number]> {
  const askedAt = clock.now();
  if (url === undefined || signal.aborted) return ["", askedAt];
  const stop = new AbortController();
  const abort = () => stop.abort();
  const timer = clock.setTimeout(abort, PATIENCE_MS);
  unref(timer);
  signal.addEventListener("abort", abort);
  // Not left to the platform: it may hold a signal that depends on others weakly, and lose it in a garbage collection.
  const stopped = new Promise<never>((_resolve, reject) => stop.signal.addEventListener("abort", reject));
  try {
    const asked = fetch(url, {
      method: "HEAD",
      headers: { "cache-control": "no-cache" },
      redirect: "manual",
      signal: stop.signal,
    });
    const { headers } = await Promise.race([asked, stopped]);
    // What a cache has kept for a while is no time of now.
    return [headers.has("age") ? "" : (headers.get("date") ?? ""), askedAt];
  } catch {
    return ["", askedAt];
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
