import { unpacked } from "./inlined.js";
import * as bindings from "./wasm/net.js";
import wasm from "./wasm/net-inline.js";

let ready = false;

/** The bindings of the module that sends requests. It is large, so this file is imported when the first one is to be sent. */
export function net(): typeof bindings {
  if (!ready) {
    bindings.initSync({ module: unpacked(wasm) });
    ready = true;
  }
  return bindings;
}
