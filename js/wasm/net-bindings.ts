import { instantiate } from "./instantiate.js";
import * as bindings from "./modules/net.js";
import wasm from "./modules/net-inline.js";

let ready: typeof bindings | undefined;

/**
 * Returns the module that sends requests. It is large: import this file dynamically, when the first
 * request is sent.
 */
export function netModule(): typeof bindings {
  ready ??= instantiate(bindings, wasm);
  return ready;
}
