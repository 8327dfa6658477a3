// Puts the built WebAssembly modules into bundles and tests: wasm-bindgen's file for js/wasm/modules/<name>.js, and the
// deflated `.wasm` in base64 for <name>-inline.js. One set of rules, as a plugin for Vite and Vitest and as one for esbuild.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const NET_PLATFORM = join(root, "js/wasm/net-platform.ts");

/** The imports that the plugins resolve: js/wasm/modules/core.js, core-inline.js and so on. */
export const IMPORT = /\/modules\/(core|plan|net)(-inline)?\.js$/;

/** The module of each build that stands for an import. A development build has all surfaces in one module. */
export const DEV = { core: "dev", plan: "dev", net: "dev" };
export const RELEASE = { core: "core", plan: "plan", net: "net" };

/** Returns where the files of a module are: what wasm-bindgen wrote, and the `.wasm` itself. */
export function wasmFiles(module) {
  const folder = join(root, "target/wasm", module);
  return { bindings: join(folder, `${module}.js`), wasm: join(folder, `${module}_bg.wasm`) };
}

/**
 * Returns a module's bindings. They lack the default export, whose `new URL` would lead bundlers to a second copy of the
 * module, and reqwest gets the `fetch`, `Request` and `Response` of js/wasm/net-platform.ts.
 */
function bindingsOf(module) {
  const { bindings } = wasmFiles(module);
  const code = replaced(readFileSync(bindings, "utf8"), {
    "export { initSync, __wbg_init as default };": "export { initSync };",
    [`new URL('${module}_bg.wasm', import.meta.url)`]: "undefined",
  });
  if (!/\bfetch\(getObject/.test(code)) return code;
  // In service workers and workerd reqwest calls the global object's.
  const own = replaced(code, { "getObject(arg0).fetch(getObject(arg1))": "fetch(getObject(arg1))" });
  return `import { fetch, Request, Response } from ${JSON.stringify(NET_PLATFORM)};\n${own}`;
}

function replaced(code, changes) {
  for (const [before, after] of Object.entries(changes)) {
    if (!code.includes(before)) throw new Error(`wasm-bindgen writes ${JSON.stringify(before)} in another way`);
    code = code.replace(before, after);
  }
  return code;
}

function inlined(module) {
  const packed = deflateRawSync(readFileSync(wasmFiles(module).wasm), { level: module === "dev" ? 1 : 9 });
  return `export default ${JSON.stringify(packed.toString("base64"))};`;
}

/** For Vite and Vitest. `modules` is DEV, RELEASE, or names by import. */
export function viteWasm(modules = DEV) {
  // Known by their files, so that a new build of a module reaches whoever watches.
  const bindings = new Map(Object.values(modules).map((module) => [wasmFiles(module).bindings, module]));
  const inline = new Map(Object.values(modules).map((module) => [`${wasmFiles(module).wasm}?deflated`, module]));
  return {
    name: "wasm-modules",
    enforce: "pre",
    resolveId(source) {
      const [, name, isInline] = IMPORT.exec(source) ?? [];
      if (!name) return;
      const { bindings, wasm } = wasmFiles(modules[name]);
      return isInline ? `${wasm}?deflated` : bindings;
    },
    load(id) {
      if (inline.has(id)) return inlined(inline.get(id));
      if (bindings.has(id)) return bindingsOf(bindings.get(id));
    },
  };
}

/** For esbuild. `minify` shortens wasm-bindgen's names, which help nobody in a stack. */
export function esbuildWasm(modules = DEV, minify = false) {
  return {
    name: "wasm-modules",
    setup(build) {
      build.onResolve({ filter: IMPORT }, ({ path }) => {
        const [, name, isInline] = IMPORT.exec(path);
        return { path: modules[name], namespace: isInline ? "wasm-inline" : "wasm-bindings" };
      });
      build.onLoad({ filter: /./, namespace: "wasm-inline" }, ({ path }) => ({ contents: inlined(path) }));
      build.onLoad({ filter: /./, namespace: "wasm-bindings" }, async ({ path }) => {
        const code = bindingsOf(path);
        const contents = minify ? (await build.esbuild.transform(code, { minify })).code : code;
        return { contents, resolveDir: root };
      });
    },
  };
}
