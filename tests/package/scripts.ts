// What the build's own scripts know, with types.

const script = (name: string) => import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href);

/** Where each WebAssembly module is built, by its name. */
export const { MODULES } = (await script("build")) as { MODULES: Record<string, string> };

export const { compiledCrates } = (await script("crates")) as {
  compiledCrates(): { name: string; version: string; license: string }[];
};

export const { dataOf, moduleBytes, sizes, table } = (await script("sizes")) as {
  dataOf(bytes: Buffer): Buffer;
  moduleBytes(name: string): Buffer;
  sizes(): { what: string; size: number; limit: number }[];
  table(rows: readonly object[]): string;
};

export const { blankSourcePaths } = (await script("wasm-paths")) as {
  blankSourcePaths(bytes: Buffer): string[];
};
