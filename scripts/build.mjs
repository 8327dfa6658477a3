// `npm run build`: builds the publishable package into dist/, and what it needs. Skips unchanged
// parts. The quick tests take a build with unoptimized WebAssembly instead.

import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { thirdPartyLicenses } from "./licenses.mjs";
import { files, ifChanged, isFresh, main, root, run, StepError, step } from "./steps.mjs";
import { checkNode } from "./toolchain.mjs";
import { COMPONENT, devModule, RUST, releaseModules } from "./wasm.mjs";
import { builtModules, esbuildWasm, IMPORT, wasmFiles } from "./wasm-plugin.mjs";

/** The sources of dist/. */
const SOURCES = "crates/component wit js package.json package-lock.json tsconfig.json".split(" ");
const SCRIPTS = ["scripts/build.mjs", "scripts/licenses.mjs", "scripts/wasm-plugin.mjs"];
const INPUTS = [...RUST, ...SOURCES, ...SCRIPTS];
const OUTPUTS = ["dist/cli.js", "dist/types/index.d.ts"];
const RELEASED = [...OUTPUTS, "dist/component.wasm", "dist/THIRD-PARTY-LICENSES.txt"];

const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The package's entry points: "." is js/index.ts. */
export const ENTRIES = Object.keys(exports).filter((path) => exports[path].types);
const nameOf = (path) => (path === "." ? "index" : path.slice(2));
export const sourceOf = (path) => join(root, `js/${nameOf(path)}.ts`);
const sources = (...paths) => Object.fromEntries(paths.map((path) => [nameOf(path), sourceOf(path)]));

/** Packages that users install beside this one; never bundled. */
export const PEERS = ["@azure/functions", "@azure/identity", "@github/copilot-sdk"];

export const build = () =>
  ifChanged("dist", INPUTS, RELEASED, async () => {
    checkNode();
    await releaseModules();
    emptyDist();
    cpSync(join(root, COMPONENT), join(root, "dist/component.wasm"));
    const bundled = await step("TypeScript to dist/", distribution);
    writeFileSync(join(root, "dist/THIRD-PARTY-LICENSES.txt"), thirdPartyLicenses(bundled));
  });

/** Keeps the publishable build if it is up to date, else makes one with the development module. */
export async function quickBuild() {
  if (isFresh("dist", INPUTS, RELEASED)) return;
  await ifChanged("dist-quick", INPUTS, OUTPUTS, async () => {
    checkNode();
    await devModule();
    emptyDist();
    await step("TypeScript to dist/, unoptimized WebAssembly", distribution);
  });
}

/** Empties dist/, and forgets what was built there. */
function emptyDist() {
  for (const path of ["dist", "target/stamps/dist", "target/stamps/dist-quick"])
    rmSync(join(root, path), { recursive: true, force: true });
  mkdirSync(join(root, "dist"));
}

/** Rejects a dist/ that was built from other sources, or is not the publishable build. */
export function checkBuilt({ quick = false } = {}) {
  const fresh = isFresh("dist", INPUTS, RELEASED) || (quick && isFresh("dist-quick", INPUTS, OUTPUTS));
  if (!fresh) throw new StepError("dist/ is not up to date", "Run npm run build.");
}

/** Bundles entry points. Returns the paths of all bundled modules. */
export async function bundle(outdir, entryPoints, options) {
  const { build: esbuild } = await import("esbuild");
  // When nobody catches an error, Node prints its source line: keep lines short.
  const format = { format: "esm", platform: "node", target: "node20", legalComments: "none", lineLimit: 160 };
  const report = { absWorkingDir: root, metafile: true, logLevel: "warning" };
  const { metafile } = await esbuild({ bundle: true, outdir, entryPoints, ...format, ...report, ...options });
  return Object.keys(metafile.inputs);
}

/** The command line. One of its libraries is CommonJS and needs `require`. */
export const CLI = { cli: join(root, "js/cli/main.ts") };
export const REQUIRE =
  'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);';

/** Returns the paths of the bundled modules. */
async function distribution() {
  const wasm = esbuildWasm(builtModules());
  const sharing = ENTRIES.filter((path) => exports[path].workerd && path !== ".");
  const library = await bundle("dist", sources(".", "./web", "./azure-functions", "./http", ...sharing), {
    // Keep names, so that stacks are readable.
    minifySyntax: true,
    minifyWhitespace: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    external: PEERS,
    plugins: [wasm],
  });
  const workerd = { index: sourceOf("./web"), ...sources(...sharing) };
  await bundle("dist/workerd", workerd, {
    minify: true,
    platform: "neutral",
    mainFields: ["module", "main"],
    splitting: true,
    chunkNames: "[name]-[hash]",
    external: [...PEERS, "cloudflare:workers"],
    plugins: [forWorkerd, wasm],
  });
  // All other bundles import the package, so that they share its classes and state.
  const apart = { minify: true, external: ["copilot-keyless", "copilot-keyless/*", ...PEERS] };
  const rest = [
    [
      sources("./emulator"),
      { banner: { js: REQUIRE }, plugins: [fromPackage("copilot-keyless/core", "errors/keyless-error")] },
    ],
    // In one file, for pages without a bundler.
    [sources("./http-client"), { platform: "neutral", target: "es2022", lineLimit: 0 }],
    [CLI, { banner: { js: `#!/usr/bin/env node\n${REQUIRE}` } }],
  ].map(([entries, options]) => bundle("dist", entries, { ...apart, ...options }));
  const bundled = [library, ...(await Promise.all(rest))].flat();
  chmodSync(join(root, "dist/cli.js"), 0o755);
  await declarations();
  return bundled;
}

/** Writes the type declarations that entry points refer to, and deletes all others. */
async function declarations() {
  await run("tsc", ["-p", "tsconfig.json"]);
  // tsc does not copy hand-written declarations.
  for (const file of files("js").filter((path) => path.endsWith(".d.ts")))
    cpSync(join(root, file), join(root, file.replace("js/", "dist/types/")));
  const reached = new Set(ENTRIES.map((path) => posix.normalize(exports[path].types)));
  for (const file of reached) {
    const imports = readFileSync(join(root, file), "utf8").matchAll(/["'](\.[^"']*)\.js["']/g);
    for (const [, path] of imports) reached.add(posix.join(posix.dirname(file), `${path}.d.ts`));
  }
  for (const file of files("dist/types")) if (!reached.has(file)) rmSync(join(root, file));
}

/** Imports a file of js/ from an entry point instead of bundling a copy of it. */
function fromPackage(entry, name) {
  const file = join(root, `js/${name}.js`);
  const resolve = ({ path, resolveDir }) =>
    join(resolveDir, path) === file ? { path: entry, external: true } : undefined;
  return { name: "from-package", setup: ({ onResolve }) => onResolve({ filter: /\.js$/ }, resolve) };
}

/** Imports the `.wasm` files as modules: workerd cannot compile bytes at run time. */
const forWorkerd = {
  name: "for-workerd",
  setup({ onResolve, onLoad }) {
    const waitUntil = { path: join(root, "js/platform/wait-until-workerd.ts") };
    onResolve({ filter: /\/wait-until\.js$/ }, () => waitUntil);
    onResolve({ filter: /-inline\.js$/ }, ({ path }) => {
      const [, name] = IMPORT.exec(path);
      cpSync(wasmFiles(builtModules()[name]).wasm, join(root, `dist/workerd/${name}.wasm`));
      return { path: `./${name}.wasm`, external: true };
    });
    onResolve({ filter: /\/module-source\.js$/ }, () => ({ path: "compiled", namespace: "compiled" }));
    const compiled = { contents: "export const moduleSource = (module) => module;" };
    onLoad({ filter: /./, namespace: "compiled" }, () => compiled);
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(build);
