// The WebAssembly modules for tests of the sources: what stands in js/wasm/modules as types comes from the build's output.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import type { Plugin } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { MODULES, withNetPlatform } = (await import(
  new URL("../../scripts/build.mjs", import.meta.url).href
)) as {
  MODULES: Record<string, string>;
  withNetPlatform(bindings: string, path: string): string;
};

export function wasmModules(): Plugin {
  const pattern = /\/modules\/(\w+?)(-inline)?\.js$/;
  return {
    name: "wasm-modules",
    enforce: "pre",
    resolveId(source, importer) {
      const [, name, inline] = pattern.exec(source) ?? [];
      if (name === undefined || !importer?.includes("/js/wasm/")) return;
      return inline ? `\0wasm:${name}` : join(root, MODULES[name] as string, "copilot_keyless.js");
    },
    load(id) {
      const name = /^\0wasm:(\w+)$/.exec(id)?.[1];
      if (name !== undefined) {
        const bytes = readFileSync(join(root, MODULES[name] as string, "copilot_keyless_bg.wasm"));
        return `export default ${JSON.stringify(deflateRawSync(bytes).toString("base64"))}`;
      }
      if (id === join(root, MODULES.net as string, "copilot_keyless.js"))
        return withNetPlatform(readFileSync(id, "utf8"), join(root, "js/wasm/net-platform.ts"));
      return;
    },
  };
}
