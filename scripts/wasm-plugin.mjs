// Puts the built WebAssembly modules into bundles and tests: wasm-bindgen's file for
// js/wasm/modules/<name>.js, and the deflated `.wasm` in base64 for <name>-inline.js.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { root } from "./steps.mjs";

/** The imports that the plugin resolves: js/wasm/modules/core.js, core-inline.js and so on. */
export const IMPORT = /\/modules\/(core|plan|explain|simulate|net|gateway|lease)(-inline)?\.js$/;

/** The module for each import. The development build has everything in one module. */
const NAMES = ["core", "plan", "explain", "simulate", "net", "gateway", "lease"];
export const DEV = Object.fromEntries(NAMES.map((name) => [name, "dev"]));
export const RELEASE = Object.fromEntries(NAMES.map((name) => [name, name]));

/** The modules in dist/: the component is in the publishable build only. */
export const builtModules = () => (existsSync(join(root, "dist/component.wasm")) ? RELEASE : DEV);

/** Returns the paths of a module's files: wasm-bindgen's bindings and the `.wasm`. */
export function wasmFiles(module) {
  const folder = join(root, "target/wasm", module);
  return { bindings: join(folder, `${module}.js`), wasm: join(folder, `${module}_bg.wasm`) };
}

/**
 * The plugin for Rolldown, Vite and Vitest. `modules` is DEV, RELEASE, or names of other modules by
 * import.
 */
export function wasmModules(modules = DEV) {
  const loads = new Map();
  const resolveId = (source) => {
    const [, name, inline] = IMPORT.exec(source) ?? [];
    if (!name) return;
    const module = modules[name];
    const { bindings, wasm } = wasmFiles(module);
    // Keep the file's path in the id, so that watchers notice a new build of it.
    const id = inline ? `${wasm}?deflated` : bindings;
    loads.set(id, () => (inline ? deflated(wasm, module === "dev" ? 1 : 9) : bindingsOf(module, bindings)));
    return id;
  };
  const load = (id) => loads.get(id)?.();
  return { name: "wasm-modules", enforce: "pre", resolveId, load };
}

const deflated = (wasm, level) =>
  `export default "${deflateRawSync(readFileSync(wasm), { level }).toString("base64")}";`;

/**
 * Returns a module's bindings without the default export, whose `new URL` would make bundlers add a
 * second copy of the module, and with the `fetch`, `Request` and `Response` of
 * js/wasm/net-platform.ts for reqwest.
 */
function bindingsOf(module, file) {
  const code = readFileSync(file, "utf8")
    .replace("export { initSync, __wbg_init as default };", "export { initSync };")
    .replace(`new URL('${module}_bg.wasm', import.meta.url)`, "undefined")
    // In service workers and workerd, reqwest calls the global object's `fetch`.
    .replace("getObject(arg0).fetch(getObject(arg1))", "fetch(getObject(arg1))");
  const sends = code.includes("fetch(getObject(");
  if (/ as default|new URL\(|\.fetch\(/.test(code))
    throw new Error("wasm-bindgen writes its files in another way");
  const platform = JSON.stringify(join(root, "js/wasm/net-platform.ts"));
  return sends ? `import { fetch, Request, Response } from ${platform};\n${code}` : code;
}
