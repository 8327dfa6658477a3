// Types for the build scripts.

import { readFileSync } from "node:fs";

const script = (name: string) => import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href);

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
