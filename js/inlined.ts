import { inflateSync } from "fflate/browser";

/** `node:zlib` where there is one: it unpacks a module in a fifth of the time, and without being loaded first. */
const zlib: { inflateRawSync(bytes: Uint8Array): Uint8Array } | undefined =
  globalThis.process?.getBuiltinModule?.("node:zlib");

/** The bytes of a module that the build compressed and inlined. */
export function unpacked(base64: string): Uint8Array<ArrayBuffer> {
  // A plain loop: `Uint8Array.from` takes ten times as long.
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return (zlib?.inflateRawSync(bytes) ?? inflateSync(bytes)) as Uint8Array<ArrayBuffer>;
}
