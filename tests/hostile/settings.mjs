// Settings of the servers under attack. Times are short, so that a minute sees each of them run
// out.

/** Fewer slots than by default, and shares that keep some for the good callers. */
export const LIMITS = { turns: 40, turnsPerCaller: 10, bodyMs: 1_500, stallMs: 1_500, heartbeatMs: 1_000 };

/**
 * For tokens that are revoked several times a second, and a hanging credential that is given up
 * soon.
 */
export const TOKENS = { policy: { invalidateIntervalMs: 0, waitTimeoutMs: 1_500 } };

/**
 * How long a turn may take, in milliseconds. The Functions handler's runtime retries cut streams.
 */
export const TURN_MS = { edge: 8_000, functions: 20_000 };

/** The header by which the emulator tells who asks the model. */
export const SERVER_HEADER = "x-hostile-server";

/** The header with the caller's id. Calls without it are refused. */
export const CALLER_HEADER = "x-caller";

/** Counts ended calls by code or status. */
export class Log {
  counts = {};

  entry({ status, code = String(status) }) {
    this.counts[code] = (this.counts[code] ?? 0) + 1;
  }
}
