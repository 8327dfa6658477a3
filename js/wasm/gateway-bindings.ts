import { instantiate } from "./instantiate.js";
import * as bindings from "./modules/gateway.js";
import wasm from "./modules/gateway-inline.js";

let ready: typeof bindings | undefined;

/** Returns the module with the rules of the gateway. */
export function gatewayModule(): typeof bindings {
  ready ??= instantiate(bindings, wasm);
  return ready;
}
