import { compiledOnUse } from "./compiled.js";
import { KeylessError } from "./errors.js";
import * as coreBindings from "./wasm/core.js";
import coreWasm from "./wasm/core-inline.js";
import * as planBindings from "./wasm/plan.js";
import planWasm from "./wasm/plan-inline.js";

/** The refresh schedule and the lifetime of a token. */
export const core = compiledOnUse(coreBindings, coreWasm);

/** Endpoints, providers, requests and what became of them. */
export const planner = compiledOnUse(planBindings, planWasm);

/** Calls a module, and turns what it throws into a {@link KeylessError}. */
export function decide<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw keylessError(error);
  }
}

/** A module's error as a {@link KeylessError}; anything else as it is. */
export function keylessError(error: unknown): unknown {
  return isCoreError(error) ? new KeylessError(error.code, error.message, { hint: error.hint }) : error;
}

function isCoreError(error: unknown): error is coreBindings.CoreError {
  return (
    typeof error === "object" &&
    error !== null &&
    !(error instanceof Error) &&
    "code" in error &&
    "message" in error
  );
}
