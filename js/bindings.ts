import { KeylessError } from "./errors.js";
import { inlined } from "./inlined.js";
import * as bindings from "./wasm/core.js";
import wasm from "./wasm/core-inline.js";

/** The core's bindings. */
export const core = inlined(bindings, wasm);

/** Calls the core, and turns what it throws into a {@link KeylessError}. */
export function decide<T>(call: (bindings: typeof import("./wasm/core.js")) => T): T {
  try {
    return call(core());
  } catch (error) {
    throw keylessError(error);
  }
}

/** The core's error as a {@link KeylessError}; anything else as it is. */
export function keylessError(error: unknown): unknown {
  return isCoreError(error) ? new KeylessError(error.code, error.message, { hint: error.hint }) : error;
}

function isCoreError(error: unknown): error is bindings.CoreError {
  return (
    typeof error === "object" &&
    error !== null &&
    !(error instanceof Error) &&
    "code" in error &&
    "message" in error
  );
}
