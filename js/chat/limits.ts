import { LONGEST_TIMER_MS } from "../clock.js";
import { KeylessError } from "../errors.js";

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

/** An option of a chat handler that cannot be. */
export function invalid(sentence: string): KeylessError {
  return new KeylessError("chat/invalid-option", sentence, { hint: "See the options of the handler." });
}
