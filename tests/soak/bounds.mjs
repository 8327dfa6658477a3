// How many requests the identity endpoint may get: what the refresh schedule and MSAL's retries promise. Times in milliseconds.

/** `invalidateIntervalMs` of the default policy. */
export const INVALIDATE_INTERVAL_MS = 30_000;

/** The shortest pauses between the four requests of one `getToken` of `@azure/identity`: half of 1, 2 and 4 s. */
const BACKOFF_MS = [500, 1_000, 2_000];

/**
 * Good answers at most. A token is left alone until half its life is over, counted from its request on, so steady refreshing
 * takes one request in that time. A revocation costs one more, and at most one in `invalidateIntervalMs`.
 */
export function mostGood({ lifetimeMs, ranMs, revocations }) {
  const steady = Math.floor(ranMs / (lifetimeMs / 2)) + 1;
  const forced = Math.min(revocations, Math.floor(ranMs / INVALIDATE_INTERVAL_MS) + 1);
  return { steady, forced };
}

/**
 * Requests at most that meet a fault of the identity endpoint while it lasts. One acquisition is under way at a time. It sends
 * four requests with pauses between them (429: `Retry-After`; 5xx and resets: exponential, by half at most shortened by
 * chance), and the next one may begin at once. A token that
 * cannot be used is asked for again by the next caller at once, without any bound but the number of callers: such faults are
 * counted in the plan. A delay is no bad answer.
 */
export function mostBad({ kind, times, headers, status }, lastedMs) {
  if (kind === "delay") return 0;
  if (Number.isFinite(times)) return times;
  const asked = Number(headers?.["retry-after"]) * 1_000;
  const pauses = status === 429 ? [asked, asked, asked] : BACKOFF_MS;
  let requests = 0;
  for (let at = 0; ; ) {
    for (const pause of [...pauses, 0]) {
      if (at > lastedMs) return requests;
      requests += 1;
      at += pause;
    }
  }
}
