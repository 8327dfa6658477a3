import { KeylessError } from "../errors/keyless-error.js";
import { compiled } from "./compiled.js";
import * as coreBindings from "./modules/core.js";
import coreWasm from "./modules/core-inline.js";
import * as planBindings from "./modules/plan.js";
import planWasm from "./modules/plan-inline.js";

let coreReady: typeof coreBindings | undefined;
let planReady: typeof planBindings | undefined;

// Functions, not constants that a call makes: bundlers drop those that nobody uses, and the module with them.

/** The refresh schedule and the lifetime of a token. */
export function core(): typeof coreBindings {
  coreReady ??= compiled(coreBindings, coreWasm);
  return coreReady;
}

/** Endpoints, providers, requests and what became of them. */
export function planner(): typeof planBindings {
  planReady ??= compiled(planBindings, planWasm);
  return planReady;
}

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
