import { unpacked } from "./inlined.js";

/** A module's bindings; it is compiled when they are first asked for, so that importing this package costs nothing. */
export function compiledOnUse<B extends { initSync(options: { module: Uint8Array }): void }>(
  bindings: B,
  wasm: string,
): () => B {
  let ready = false;
  return () => {
    if (!ready) {
      bindings.initSync({ module: unpacked(wasm) });
      ready = true;
    }
    return bindings;
  };
}
