import { inlined } from "./inlined.js";
import * as bindings from "./wasm/net.js";
import wasm from "./wasm/net-inline.js";

/** The bindings of the module that sends requests. It is large, so this file is imported when the first one is to be sent. */
export const net = inlined(bindings, wasm);
