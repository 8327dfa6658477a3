import type { TokenCredential } from "../credentials/credential.js";
import type { Clock } from "../platform/clock.js";
import { unref } from "../platform/clock.js";
import { coreModule } from "../wasm/bindings.js";
import type { AccessToken } from "../wasm/types/token.js";

/**
 * How long to wait for a server's time. Callers wait meanwhile, and the next attempt asks again.
 */
const DATE_TIMEOUT_MS = 3_000;

/** The URL of a resource that checks the tokens of a credential, by the true time. */
const resources = new WeakMap<TokenCredential, string>();

/** Registers a resource to which the tokens of a credential are sent. One resource is enough. */
export function registerResource(credential: TokenCredential, url: string): void {
  resources.set(credential, url);
}

/**
 * Corrects the expiry of a token that seems expired on arrival. Uses the token's own `exp` first.
 * If this machine's clock is ahead by more than the token's lifetime, the `Date` header of the
 * resource shows it; the corrected expiry is then on this machine's clock. Returns the token
 * unchanged if it has really expired.
 */
export async function correctClockSkew(
  token: AccessToken,
  now: number,
  credential: TokenCredential,
  clock: Clock,
  signal: AbortSignal,
): Promise<AccessToken> {
  const correctedExpiry = (date: string, requestedAt: number) =>
    coreModule().correctedExpiry(token.token, token.expiresOnTimestamp, now, date, requestedAt);
  const expiresOnTimestamp =
    correctedExpiry("", 0) ?? correctedExpiry(...(await fetchDate(resources.get(credential), clock, signal)));
  return expiresOnTimestamp === undefined ? token : { ...token, expiresOnTimestamp };
}

/** Returns the `Date` of a server, empty if there is none, and the time of the request. */
async function fetchDate(
  url: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<[date: string, requestedAt: number]> {
  const requestedAt = clock.now();
  if (url === undefined || signal.aborted) return ["", requestedAt];
  const stop = new AbortController();
  const abort = () => stop.abort();
  const timer = clock.setTimeout(abort, DATE_TIMEOUT_MS);
  unref(timer);
  signal.addEventListener("abort", abort);
  // Raced here: a platform may hold a dependent signal weakly and lose it in a garbage collection.
  const stopped = new Promise<never>((_resolve, reject) => stop.signal.addEventListener("abort", reject));
  try {
    const response = fetch(url, {
      method: "HEAD",
      headers: { "cache-control": "no-cache" },
      redirect: "manual",
      signal: stop.signal,
    });
    const { headers } = await Promise.race([response, stopped]);
    // The date of a cached response is not the current time.
    return [headers.has("age") ? "" : (headers.get("date") ?? ""), requestedAt];
  } catch {
    return ["", requestedAt];
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
