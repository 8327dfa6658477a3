import { compiled } from "./compiled.js";
import * as bindings from "./modules/net.js";
import wasm from "./modules/net-inline.js";

let ready: typeof bindings | undefined;

/** What sends requests. It is large, so this file is imported when the first one is to be sent. */
export function net(): typeof bindings {
  ready ??= compiled(bindings, wasm);
  return ready;
}
