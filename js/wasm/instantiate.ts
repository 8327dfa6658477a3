import { moduleSource } from "./module-source.js";

/**
 * Compiles and instantiates a WebAssembly module and returns its bindings. Callers do so at the
 * first use of a module, so that importing this package costs nothing.
 */
export function instantiate<B extends { initSync(options: { module: Uint8Array }): void }>(
  bindings: B,
  wasm: string,
): B {
  bindings.initSync({ module: moduleSource(wasm) });
  return bindings;
}
