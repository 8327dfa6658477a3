// For tests of the publishable build: its modules, and types of the build scripts.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";

import { script } from "../support/scripts.js";

// All tests that import this need the publishable build.
(await script("build")).checkBuilt();

const { wasmFiles, RELEASE } = (await script("wasm-plugin")) as {
  wasmFiles(module: string): { bindings: string; wasm: string };
  RELEASE: Record<string, string>;
};

/** The WebAssembly modules of the package, by name. */
export const MODULES = RELEASE;

export const moduleBytes = (name: string): Buffer => readFileSync(wasmFiles(name).wasm);

export const { compiledCrates } = (await script("licenses")) as {
  compiledCrates(): { name: string; version: string; license: string }[];
};

/**
 * Returns the names of all inlined WebAssembly modules (deflated, in base64) in the JavaScript
 * below a folder, with repetitions; for an unknown module, its size.
 */
export function inlinedModules(folder: string): string[] {
  const names = Object.keys(MODULES);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.m?js$/.test(path))
    .flatMap((path) => [
      ...readFileSync(join(folder, path), "utf8").matchAll(/["'`]([A-Za-z0-9+/]{2000,}={0,2})["'`]/g),
    ])
    .map(([, base64]) => {
      const bytes = inflateRawSync(Buffer.from(base64 as string, "base64"));
      return names.find((name) => moduleBytes(name).equals(bytes)) ?? `${bytes.length} bytes`;
    })
    .sort();
}

/** Node's types lack it. */
export const { Module: WasmModule } = (
  globalThis as unknown as {
    WebAssembly: {
      Module: {
        new (bytes: Uint8Array): object;
        imports(module: object): { module: string }[];
        customSections(module: object, name: string): ArrayBuffer[];
      };
    };
  }
).WebAssembly;
