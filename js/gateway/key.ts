import { KeylessError } from "../errors/keyless-error.js";

/** Checks the key that clients send. */
export function checkedKey(key: string, hint = "Leave it out for a random one."): string {
  if (/^[\x21-\x7e]{16,512}$/.test(key)) return key;
  throw invalid("The key must have 16 to 512 visible ASCII characters.", hint);
}

/** Creates the error for an invalid option. */
export function invalid(sentence: string, hint = "See docs/reference/options.md."): KeylessError {
  return new KeylessError("gateway/invalid-option", sentence, { hint });
}
