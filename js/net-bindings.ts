import { compiledOnUse } from "./compiled.js";
import * as bindings from "./wasm/net.js";
import wasm from "./wasm/net-inline.js";

/** What sends requests. It is large, so this file is imported when the first one is to be sent. */
export const net = compiledOnUse(bindings, wasm);
