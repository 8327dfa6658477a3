import { KeylessError } from "../errors/keyless-error.js";
import { instantiate } from "./instantiate.js";
import * as bindings from "./modules/explain.js";
import wasm from "./modules/explain-inline.js";

let ready: typeof bindings | undefined;

/**
 * Returns the module that explains failures. It is large, and nothing needs it while all goes well:
 * call this when something has failed.
 *
 * @throws KeylessError `diagnosis/not-loaded`
 */
export function explainModule(): typeof bindings {
  if (ready) return ready;
  try {
    ready = instantiate(bindings, wasm);
    return ready;
  } catch (cause) {
    throw new KeylessError("diagnosis/not-loaded", "The module that explains failures could not be loaded", {
      hint: "See the cause. A content security policy, or a lack of memory, may keep WebAssembly from compiling.",
      cause,
    });
  }
}
