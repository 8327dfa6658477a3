import { KeylessError } from "../errors/keyless-error.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";

/** The limits, defaults filled in and checked. */
export function checkedLimits<T extends object>(defaults: T, given: Partial<T> = {}): T {
  const limits = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw invalid(`limits.${name} is none`);
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > LONGEST_TIMER_MS) {
      throw invalid(`limits.${name} must be a positive whole number, below 2^31`);
    }
    Object.assign(limits, { [name]: value });
  }
  return limits;
}

/**
 * What one caller may use of a limit for all, unless it is given: half, so that nobody shuts the others out; all where callers are not
 * told apart.
 */
export function shareOf(all: number, given: number | undefined, apart: boolean): number {
  return given ?? (apart ? Math.ceil(all / 2) : all);
}

/** How long a turn may take: a time that timers can wait. */
export function checkTimeout(timeoutMs: unknown): void {
  const isTime = Number.isFinite(timeoutMs) && (timeoutMs as number) > 0;
  if (isTime && (timeoutMs as number) <= LONGEST_TIMER_MS) return;
  throw invalid("timeoutMs must be a positive number of milliseconds, below 2^31");
}

/** An option of a chat handler that cannot be. */
export function invalid(sentence: string, hint = "See the options of the handler."): KeylessError {
  return new KeylessError("chat/invalid-option", sentence, { hint });
}
