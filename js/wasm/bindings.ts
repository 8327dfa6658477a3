import { KeylessError } from "../errors/keyless-error.js";
import { explainModule } from "./explain-bindings.js";
import { instantiate } from "./instantiate.js";
import * as coreBindings from "./modules/core.js";
import coreWasm from "./modules/core-inline.js";
import * as planBindings from "./modules/plan.js";
import planWasm from "./modules/plan-inline.js";
import type { CoreError } from "./types/core-error.js";

let coreReady: typeof coreBindings | undefined;
let planReady: typeof planBindings | undefined;

// Functions instead of constants: bundlers drop an unused function, and its module with it.

/** Returns the module with the refresh schedule and the parsing of token responses. */
export function coreModule(): typeof coreBindings {
  coreReady ??= instantiate(coreBindings, coreWasm);
  return coreReady;
}

/** Returns the module that plans endpoints, providers and requests. */
export function planModule(): typeof planBindings {
  planReady ??= instantiate(planBindings, planWasm);
  return planReady;
}

/** The functions that plan and explain share. */
type Planner = Pick<typeof planBindings, keyof typeof planBindings & keyof ReturnType<typeof explainModule>>;

/**
 * Calls a function of the planning module. Its errors have no texts: after one, calls the same function
 * of the module that explains failures, and throws its error as a {@link KeylessError}. If that module
 * does not load, the error has its code and a general message.
 */
export function callPlan<T>(call: (planner: Planner) => T): T {
  try {
    return call(planModule());
  } catch (error) {
    if (!isCoreError(error)) throw error;
    const explain = explainModuleFor(error.code);
    return callCore(() => call(explain));
  }
}

function explainModuleFor(code: CoreError["code"]): Planner {
  try {
    return explainModule();
  } catch (cause) {
    const message = "The options cannot be used, and the module that says why could not be loaded";
    throw new KeylessError(code, message, { hint: (cause as KeylessError).hint, cause });
  }
}

/** Calls a module. Throws a {@link KeylessError} in place of the module's own error. */
export function callCore<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw keylessError(error);
  }
}

/** Converts a module's error to a {@link KeylessError}. Returns any other value unchanged. */
export function keylessError(error: unknown): unknown {
  return isCoreError(error) ? new KeylessError(error.code, error.message, { hint: error.hint }) : error;
}

function isCoreError(error: unknown): error is CoreError {
  return (
    typeof error === "object" &&
    error !== null &&
    !(error instanceof Error) &&
    "code" in error &&
    "message" in error
  );
}
