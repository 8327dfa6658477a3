import { instantiate } from "./instantiate.js";
import * as bindings from "./modules/simulate.js";
import wasm from "./modules/simulate-inline.js";

let ready: typeof bindings | undefined;

/** Returns the module that simulates the refresh schedule. */
export function simulateModule(): typeof bindings {
  ready ??= instantiate(bindings, wasm);
  return ready;
}
