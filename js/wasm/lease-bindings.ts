import { instantiate } from "./instantiate.js";
import * as bindings from "./modules/lease.js";
import wasm from "./modules/lease-inline.js";

let ready: typeof bindings | undefined;

/** Returns the module with the rules of a lease. */
export function leaseModule(): typeof bindings {
  ready ??= instantiate(bindings, wasm);
  return ready;
}
