// The core's own bindings, as wasm-pack made them: what the package builds on and does not export.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { KeylessError } from "copilot-keyless";
import type * as Bindings from "../../../js/wasm/core.js";
import { root } from "../../cli/support.js";

const pkg = join(root, "pkg");

export const bindings: typeof Bindings = await import(pathToFileURL(join(pkg, "copilot_keyless.js")).href);
bindings.initSync({ module: readFileSync(join(pkg, "copilot_keyless_bg.wasm")) });

/** A call of the bindings whose error becomes one of ours. */
export function decide<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { code, message, hint } = error as Bindings.CoreError;
    throw new KeylessError(code, message, { hint });
  }
}
