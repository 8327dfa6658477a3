/** What Node has of it takes a fifth of the time. Not loaded before: importing costs nothing. */
function builtin<Name extends "node:buffer" | "node:zlib">(name: Name) {
  return globalThis.process?.getBuiltinModule?.(name);
}

/**
 * The library for elsewhere builds its tables as soon as it is run, for longer than all the rest of an import takes. The build bundles it so
 * that this call runs it.
 */
function fflate(): typeof import("./inflate.js") {
  return require("./inflate.js");
}

/** The bytes of a module that the build compressed and inlined. */
export function unpacked(base64: string): Uint8Array<ArrayBuffer> {
  const packed = decoded(base64);
  return (builtin("node:zlib")?.inflateRawSync(packed) ??
    fflate().inflateSync(packed)) as Uint8Array<ArrayBuffer>;
}

function decoded(base64: string): Uint8Array {
  const node = builtin("node:buffer");
  if (node) return node.Buffer.from(base64, "base64");
  // A plain loop: `Uint8Array.from` takes ten times as long.
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}
