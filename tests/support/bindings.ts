// The core's own bindings, as wasm-pack made them: what the package builds on and does not export.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { KeylessError } from "copilot-keyless";
import type * as Bindings from "../../js/wasm/modules/core.js";
import type * as PlanBindings from "../../js/wasm/modules/plan.js";
import { root } from "./process.js";

async function load<B extends { initSync(options: { module: Uint8Array }): void }>(
  folder: string,
): Promise<B> {
  const bindings: B = await import(pathToFileURL(join(root, folder, "copilot_keyless.js")).href);
  bindings.initSync({ module: readFileSync(join(root, folder, "copilot_keyless_bg.wasm")) });
  return bindings;
}

export const bindings = await load<typeof Bindings>("pkg");
export const planBindings = await load<typeof PlanBindings>("pkg-plan");

/** A call of the bindings whose error becomes one of ours. */
export function decide<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { code, message, hint } = error as Bindings.CoreError;
    throw new KeylessError(code, message, { hint });
  }
}
