import type { ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";

/** Fills in default limits and checks all values. Throws an error with this code. */
export function checkedLimits<T extends object>(
  defaults: T,
  overrides: Partial<T> = {},
  code: ErrorCode = "chat/invalid-option",
): T {
  const invalid = (sentence: string) =>
    new KeylessError(code, sentence, { hint: `The limits are ${Object.keys(defaults).join(", ")}.` });
  const limits = { ...defaults };
  for (const [name, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(defaults, name)) throw invalid(`limits.${name} does not exist`);
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > LONGEST_TIMER_MS) {
      throw invalid(`limits.${name} must be a positive whole number, below 2^31`);
    }
    Object.assign(limits, { [name]: value });
  }
  return limits;
}

/**
 * Returns the share of one caller in a limit for all: by default half, so that no caller blocks the
 * others, or all if callers are not identified.
 */
export function callerShare(total: number, override: number | undefined, identified: boolean): number {
  return override ?? (identified ? Math.ceil(total / 2) : total);
}

/** Checks that a timeout is one that timers support. Throws `chat/invalid-option`. */
export function checkTimeout(timeoutMs: unknown): void {
  const isPositive = Number.isFinite(timeoutMs) && (timeoutMs as number) > 0;
  if (isPositive && (timeoutMs as number) <= LONGEST_TIMER_MS) return;
  throw invalid("timeoutMs must be a positive number of milliseconds, below 2^31");
}

/** Creates the error for an invalid option of a chat handler. */
export function invalid(sentence: string, hint = "See the options of the handler."): KeylessError {
  return new KeylessError("chat/invalid-option", sentence, { hint });
}
