import { unpacked } from "./inlined.js";

/** A module's bindings, compiled. Called when they are first needed, so that importing this package costs nothing. */
export function compiled<B extends { initSync(options: { module: Uint8Array }): void }>(
  bindings: B,
  wasm: string,
): B {
  bindings.initSync({ module: unpacked(wasm) });
  return bindings;
}
