// What the servers under attack are set to. Short times, so that a minute sees each of them run out.

/** Fewer slots than default, and shares that leave some to the good callers however many the hostile ones take. */
export const LIMITS = { turns: 40, turnsPerCaller: 10, bodyMs: 1_500, stallMs: 1_500, heartbeatMs: 1_000 };

/** Tokens are revoked several times a second, and a credential that hangs is given up soon. */
export const TOKENS = { policy: { invalidateIntervalMs: 0, waitTimeoutMs: 1_500 } };

/** How long a turn may take, in milliseconds. The Functions handler's runtime retries what was cut. */
export const TURN_MS = { edge: 8_000, functions: 20_000 };

/** The header by which the emulator tells who asks the model. */
export const SERVER_HEADER = "x-hostile-server";

/** The header that says who calls. Without it nobody may ask. */
export const CALLER_HEADER = "x-caller";

/** Counts calls that have ended, by code or status. */
export class Log {
  counts = {};

  entry({ status, code = String(status) }) {
    this.counts[code] = (this.counts[code] ?? 0) + 1;
  }
}
