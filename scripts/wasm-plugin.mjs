// Puts the built WebAssembly modules into bundles and tests: wasm-bindgen's file for js/wasm/modules/<name>.js, and the
// deflated `.wasm` in base64 for <name>-inline.js. One set of rules, as a plugin for Vite and Vitest and as one for esbuild.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { root } from "./steps.mjs";

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

/** The plugin for Vite and Vitest. `modules` is DEV, RELEASE, or names of other modules by import. */
export function viteWasm(modules = DEV) {
  const resolveId = (source) => {
    const [, name, inline] = IMPORT.exec(source) ?? [];
    if (!name) return;
    const { bindings, wasm } = wasmFiles(modules[name]);
    // The file stays part of its id, so that a new build of it reaches whoever watches.
    return inline ? `${wasm}?deflated` : bindings;
  };
  const load = (id) => {
    for (const module of Object.values(modules)) {
      const { bindings, wasm } = wasmFiles(module);
      if (id === bindings) return bindingsOf(module, bindings);
      if (id === `${wasm}?deflated`) return deflated(wasm, module === "dev" ? 1 : 9);
    }
  };
  return { name: "wasm-modules", enforce: "pre", resolveId, load };
}

/** The same for esbuild, with the names in wasm-bindgen's files shortened: they help nobody in a stack. */
export function esbuildWasm(modules = DEV) {
  const { name, resolveId, load } = viteWasm(modules);
  return {
    name,
    setup({ onResolve, onLoad, esbuild }) {
      onResolve({ filter: IMPORT }, ({ path }) => ({ path: resolveId(path), namespace: name }));
      onLoad({ filter: /./, namespace: name }, async ({ path }) => {
        const { code } = await esbuild.transform(load(path), { minify: true });
        return { contents: code, resolveDir: root };
      });
    },
  };
}

const deflated = (wasm, level) =>
  `export default "${deflateRawSync(readFileSync(wasm), { level }).toString("base64")}";`;

/**
 * Returns a module's bindings without the default export, whose `new URL` would lead bundlers to a second copy of the module,
 * and with the `fetch`, `Request` and `Response` of js/wasm/net-platform.ts for reqwest.
 */
function bindingsOf(module, file) {
  const code = readFileSync(file, "utf8")
    .replace("export { initSync, __wbg_init as default };", "export { initSync };")
    .replace(`new URL('${module}_bg.wasm', import.meta.url)`, "undefined")
    // In service workers and workerd reqwest calls the global object's.
    .replace("getObject(arg0).fetch(getObject(arg1))", "fetch(getObject(arg1))");
  const sends = code.includes("fetch(getObject(");
  if (/ as default|new URL\(|\.fetch\(/.test(code))
    throw new Error("wasm-bindgen writes its files in another way");
  const platform = JSON.stringify(join(root, "js/wasm/net-platform.ts"));
  return sends ? `import { fetch, Request, Response } from ${platform};\n${code}` : code;
}
