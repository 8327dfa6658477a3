// `npm run build`: builds the publishable package into dist/, and what it needs. Skips unchanged
// parts. `npm start` and the quick tests take a build with unoptimized WebAssembly instead.

import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { thirdPartyLicenses } from "./licenses.mjs";
import { files, ifChanged, isFresh, main, output, root, run, StepError, step } from "./steps.mjs";
import { npmPackages } from "./toolchain.mjs";
import { COMPONENT, devModule, RUST, releaseModules } from "./wasm.mjs";
import { builtModules, IMPORT, wasmFiles, wasmModules } from "./wasm-plugin.mjs";

/** The sources of dist/. */
const SOURCES = "crates/component wit js package.json package-lock.json tsconfig.json".split(" ");
const SCRIPTS = ["scripts/build.mjs", "scripts/licenses.mjs", "scripts/wasm-plugin.mjs"];
const INPUTS = [...RUST, ...SOURCES, ...SCRIPTS];
const OUTPUTS = ["dist/cli.cjs", "dist/cli/help.txt", "dist/types/index.d.ts"];
const RELEASED = [...OUTPUTS, "dist/component.wasm", "dist/THIRD-PARTY-LICENSES.txt"];

const { exports, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The package's entry points: "." is js/index.ts. */
const ENTRIES = Object.keys(exports).filter((path) => exports[path].types);
const nameOf = (path) => (path === "." ? "index" : path.slice(2));
const sources = (...paths) =>
  Object.fromEntries(paths.map((path) => [nameOf(path), `js/${nameOf(path)}.ts`]));

/** Packages that users install beside this one; never bundled. */
const PEERS = Object.keys(peerDependencies);

export const build = () =>
  ifChanged("dist", INPUTS, RELEASED, async () => {
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
    await devModule();
    await npmPackages();
    emptyDist();
    await step("TypeScript to dist/, unoptimized WebAssembly", distribution);
  });
}

/** Empties dist/, and forgets what was built there. */
function emptyDist() {
  for (const path of ["dist", "target/stamps/dist", "target/stamps/dist-quick"])
    rmSync(join(root, path), { recursive: true, force: true });
}

/** Rejects a dist/ that was built from other sources, or is not the publishable build. */
export function checkBuilt({ quick = false } = {}) {
  const fresh = isFresh("dist", INPUTS, RELEASED) || (quick && isFresh("dist-quick", INPUTS, OUTPUTS));
  if (!fresh) throw new StepError("dist/ is not up to date", "Run npm run build.");
}

/** Returns the paths of the bundled modules. */
async function distribution() {
  const wasm = wasmModules(builtModules());
  const sharing = ENTRIES.filter((path) => exports[path].workerd && path !== ".");
  const library = await bundle(
    "dist",
    sources(
      ...[".", "./web", "./azure-functions", "./http", "./blob-sessions", "./gateway", "./hosted-agent"],
      "./telemetry",
      ...sharing,
    ),
    {
      plugins: [wasm],
      // Keep names, so that stacks are readable.
      minify: { mangle: false, codegen: false },
      chunks: "chunks/[name]-[hash].js",
    },
  );
  const workerd = { ...sources(...sharing), index: "js/web.ts" };
  await bundle("dist/workerd", workerd, {
    platform: "neutral",
    external: ["cloudflare:workers"],
    plugins: [forWorkerd, wasm],
    minify: true,
    chunks: "[name]-[hash].js",
  });
  // All other bundles import the package, so that they share its classes and state.
  const external = [/^copilot-keyless/];
  const { esmExternalRequirePlugin } = await import("rolldown/plugins");
  const emulator = await bundle("dist", sources("./emulator"), {
    external,
    // Imports what CommonJS libraries require of Node, so that users can bundle the emulator.
    plugins: [errorOfPackage, esmExternalRequirePlugin({ external: builtinModules })],
    // Native helpers of ws, which nobody has to install.
    define: { "process.env.WS_NO_BUFFER_UTIL": "true", "process.env.WS_NO_UTF_8_VALIDATE": "true" },
  });
  const commands = { "cli/program": "js/cli/program.ts" };
  const cli = await bundle("dist", commands, { external, chunks: "cli/[name]-[hash].js" });
  // CommonJS, which Node starts without its loader of ES modules.
  const define = { "import.meta.resolve": "undefined" };
  const start = { external, format: "cjs", plugins: [commandsApart], define };
  const bin = await bundle("dist", { cli: "js/cli/main.ts" }, start);
  // In one file, for pages without a bundler.
  const page = { external, platform: "neutral", target: "es2022", minify: true };
  const client = await bundle("dist", sources("./http-client"), page);
  chmodSync(join(root, "dist/cli.cjs"), 0o755);
  // The help is a file, so that `--help` need not load the commands.
  const [help, steps] = output(process.execPath, ["dist/cli.cjs", "help"])?.split("\nFirst steps") ?? [];
  if (steps === undefined) throw new StepError("The help of the command line cannot be written");
  writeFileSync(join(root, "dist/cli/help.txt"), help);
  await declarations();
  return [...library, ...emulator, ...cli, ...bin, ...client];
}

/** Bundles entry points. Returns the paths of the bundled modules. */
async function bundle(dir, input, options) {
  // When nobody catches an error, Node prints its source line: keep lines short.
  const { platform = "node", target = "node20", format, external = [], plugins, chunks, define } = options;
  const { minify = { codegen: false } } = options;
  const { build: rolldown } = await import("rolldown");
  const { output } = await rolldown({
    cwd: root,
    input,
    platform,
    external: [...PEERS, ...external],
    plugins,
    resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
    transform: { target, define },
    output: {
      dir,
      format,
      minify,
      comments: false,
      entryFileNames: format === "cjs" ? "[name].cjs" : "[name].js",
      chunkFileNames: chunks,
    },
  });
  return output.flatMap(({ moduleIds = [] }) => moduleIds);
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

/** Imports the commands when one is run. */
const commandsApart = {
  name: "commands-apart",
  resolveId: (source) => (source === "./program.js" ? { id: "./cli/program.js", external: true } : undefined),
};

/** Imports the class of errors from the package, so that there is one. */
const errorOfPackage = {
  name: "error-of-package",
  resolveId: (source) =>
    source.endsWith("/keyless-error.js") ? { id: "copilot-keyless/core", external: true } : undefined,
};

/** Imports the `.wasm` files as modules: workerd cannot compile bytes at run time. */
const forWorkerd = {
  name: "for-workerd",
  resolveId(source, importer) {
    if (/\/(wait-until|module-source)\.js$/.test(source))
      return join(dirname(importer), source.replace(/\.js$/, "-workerd.ts"));
    const [, name, inline] = IMPORT.exec(source) ?? [];
    if (!inline) return;
    cpSync(wasmFiles(builtModules()[name]).wasm, join(root, `dist/workerd/${name}.wasm`));
    return { id: `./${name}.wasm`, external: true };
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(build);
