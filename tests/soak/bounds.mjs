// Limits for requests to the identity endpoint, from the refresh schedule and MSAL's retries. Times
// in milliseconds.

/** `invalidateIntervalMs` of the default policy. */
export const INVALIDATE_INTERVAL_MS = 30_000;

/**
 * The shortest pauses between the four requests of one `getToken` of `@azure/identity`: half of 1,
 * 2 and 4 s.
 */
const BACKOFF_MS = [500, 1_000, 2_000];

/**
 * When the default credential fails without a 4xx, the direct one asks once. After it failed, too,
 * it waits for 10 s.
 */
const FALLBACK_PAUSE_MS = 10_000;

/**
 * Returns the most good answers. A token is refreshed at half its lifetime, counted from its
 * request, so the steady refresh takes one request in that time. A revocation costs one more, and
 * at most one in `invalidateIntervalMs`.
 */
export function mostGood({ lifetimeMs, ranMs, revocations }) {
  const steady = Math.floor(ranMs / (lifetimeMs / 2)) + 1;
  const forced = Math.min(revocations, Math.floor(ranMs / INVALIDATE_INTERVAL_MS) + 1);
  return { steady, forced };
}

/**
 * Returns the most requests that meet a fault of the identity endpoint while it lasts. One
 * acquisition runs at a time. It sends four requests with pauses between them (429: `Retry-After`;
 * 5xx and resets: exponential, shortened by at most half at random), and the next one may begin at
 * once. A token that cannot be used makes the next caller ask again at once, without a limit except
 * the number of callers: the plan counts such faults. A delay is not a bad answer.
 */
export function mostBad({ kind, times, headers, status }, lastedMs) {
  if (kind === "delay") return 0;
  if (Number.isFinite(times)) return times;
  const asked = Number(headers?.["retry-after"]) * 1_000;
  const throttled = status === 429;
  const pauses = throttled ? [asked, asked, asked] : BACKOFF_MS;
  const fallbacks = throttled ? 0 : Math.floor(lastedMs / FALLBACK_PAUSE_MS) + 1;
  let requests = fallbacks;
  for (let at = 0; ; ) {
    for (const pause of [...pauses, 0]) {
      if (at > lastedMs) return requests;
      requests += 1;
      at += pause;
    }
  }
}
