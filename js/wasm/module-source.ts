/**
 * Loads `node:zlib` where it exists: it inflates a module in a fifth of the time. Loaded on demand,
 * so that importing this package costs nothing.
 */
function zlib(): { inflateRawSync(bytes: Uint8Array): Uint8Array } | undefined {
  return globalThis.process?.getBuiltinModule?.("node:zlib");
}

/**
 * Loads fflate, for platforms without `node:zlib`. The build bundles it so that it runs at this
 * call: it builds tables when it is evaluated, which takes longer than the rest of an import.
 */
function fflate(): typeof import("./inflate.js") {
  return require("./inflate.js");
}

/**
 * Returns the bytes of a WebAssembly module that the build deflated and inlined as base64. In the
 * builds for workerd and for the page a module is not inlined: there this file is replaced, and the
 * function returns the compiled module.
 */
export function moduleSource(base64: string): Uint8Array<ArrayBuffer> {
  const deflated = decodeBase64(base64);
  return (zlib()?.inflateRawSync(deflated) ?? fflate().inflateSync(deflated)) as Uint8Array<ArrayBuffer>;
}

function decodeBase64(base64: string): Uint8Array {
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: "base64"): Uint8Array } };
  if (Buffer) return Buffer.from(base64, "base64");
  // A plain loop: `Uint8Array.from` takes ten times as long.
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
