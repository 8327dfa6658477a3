import { KeylessError } from "./errors.js";
import { unpacked } from "./inlined.js";
import * as bindings from "./wasm/core.js";
import wasm from "./wasm/core-inline.js";

let ready = false;

/** The core's bindings, compiled when first needed: importing this package costs nothing. */
export function core(): typeof bindings {
  if (!ready) {
    bindings.initSync({ module: unpacked(wasm) });
    ready = true;
  }
  return bindings;
}

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
