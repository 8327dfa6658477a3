// `npm run build`: the publishable package into dist/, with what it needs. What has not changed is not built again.

import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { thirdPartyLicenses } from "./licenses.mjs";
import { files, ifChanged, isFresh, main, root, run, StepError, step } from "./steps.mjs";
import { setUp } from "./toolchain.mjs";
import { COMPONENT, RUST, releaseModules } from "./wasm.mjs";
import { esbuildWasm, IMPORT, RELEASE, wasmFiles } from "./wasm-plugin.mjs";

/** Everything that dist/ is made of. */
const INPUTS = [
  ...RUST,
  "crates/component",
  "wit",
  "js",
  "scripts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];
const OUTPUTS = ["dist/cli.js", "dist/types/index.d.ts", "dist/THIRD-PARTY-LICENSES.txt"];

/** Imported by users beside this package, never bundled into it. */
export const PEERS = ["@azure/functions", "@azure/identity", "@github/copilot-sdk"];

export const build = () =>
  ifChanged("dist", INPUTS, OUTPUTS, async () => {
    await setUp();
    await releaseModules();
    await step("TypeScript to dist/", bundle);
  });

/** Rejects a dist/ that was built from other sources than those that are here. */
export function checkBuilt() {
  if (!isFresh("dist", INPUTS, OUTPUTS)) throw new StepError("dist/ is not up to date", "Run npm run build.");
}

async function bundle() {
  const esbuild = await import("esbuild");
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const bundled = [];
  const sources = (...names) => Object.fromEntries(names.map((name) => [name, `js/${name}.ts`]));
  const bundleTo = async (outdir, entryPoints, options) => {
    const { metafile } = await esbuild.build({
      absWorkingDir: root,
      bundle: true,
      entryPoints,
      outdir,
      format: "esm",
      platform: "node",
      target: "node20",
      minifySyntax: true,
      minifyWhitespace: true,
      minifyIdentifiers: true,
      // Node shows the line of an error that nobody catches: not one with a whole module in it.
      lineLimit: 160,
      legalComments: "none",
      logLevel: "warning",
      metafile: true,
      ...options,
    });
    bundled.push(...Object.keys(metafile.inputs));
  };
  await bundleTo("dist", sources("index", "web", "core", "direct", "edge"), {
    // For stacks that can be read.
    minifyIdentifiers: false,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    external: PEERS,
    plugins: [esbuildWasm(RELEASE)],
  });
  await bundleTo(
    "dist/workerd",
    { index: "js/web.ts", ...sources("core", "direct", "edge") },
    {
      platform: "neutral",
      mainFields: ["module", "main"],
      splitting: true,
      chunkNames: "[name]-[hash]",
      external: [...PEERS, "cloudflare:workers"],
      plugins: [forWorkerd, esbuildWasm(RELEASE)],
    },
  );
  // These import the package as everybody does, and so share its classes and what they hold.
  const external = ["copilot-keyless", "copilot-keyless/*", ...PEERS];
  const classes = ["copilot/agent", "errors/keyless-error", "foundry/plan", "foundry/provider"];
  await bundleTo("dist", sources("azure-functions"), {
    external,
    plugins: [fromPackage("copilot-keyless", classes)],
  });
  const errors = fromPackage("copilot-keyless/core", ["errors/keyless-error"]);
  await bundleTo("dist", sources("emulator"), { external, plugins: [errors] });
  // One of its libraries is CommonJS.
  const require =
    'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);';
  await bundleTo(
    "dist",
    { cli: "js/cli/main.ts" },
    { external, banner: { js: `#!/usr/bin/env node\n${require}` } },
  );
  chmodSync(join(root, "dist/cli.js"), 0o755);
  await declarations();
  cpSync(join(root, COMPONENT), join(root, "dist/component.wasm"));
  writeFileSync(join(root, "dist/THIRD-PARTY-LICENSES.txt"), thirdPartyLicenses(bundled));
}

/** Writes the declarations that an entry point leads to. */
async function declarations() {
  await run("tsc", ["-p", "tsconfig.json"]);
  // tsc leaves hand-written declarations behind.
  for (const file of files("js").filter((path) => path.endsWith(".d.ts")))
    cpSync(join(root, file), join(root, file.replace("js/", "dist/types/")));
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.values(exports).flatMap(({ types }) => (types ? [posix.normalize(types)] : []));
  const reached = new Set(entries);
  for (const file of reached) {
    const imports = readFileSync(join(root, file), "utf8").matchAll(/["'](\.[^"']*)\.js["']/g);
    for (const [, path] of imports) reached.add(posix.join(posix.dirname(file), `${path}.d.ts`));
  }
  for (const file of files("dist/types")) if (!reached.has(file)) rmSync(join(root, file));
}

/** Imports some files of js/ from an entry point of the package instead of bundling a copy of them. */
function fromPackage(entry, sources) {
  const paths = sources.map((name) => join(root, `js/${name}.js`));
  const resolve = ({ path, resolveDir }) =>
    paths.includes(join(resolveDir, path)) ? { path: entry, external: true } : undefined;
  return { name: "from-package", setup: ({ onResolve }) => onResolve({ filter: /\.js$/ }, resolve) };
}

/** workerd compiles no bytes: the `.wasm` files are imported as modules, so that nothing is left to unpack. */
const forWorkerd = {
  name: "for-workerd",
  setup({ onResolve, onLoad }) {
    const waitUntil = join(root, "js/platform/wait-until-workerd.ts");
    onResolve({ filter: /\/wait-until\.js$/ }, () => ({ path: waitUntil }));
    onResolve({ filter: /-inline\.js$/ }, ({ path }) => {
      const [, name] = IMPORT.exec(path);
      cpSync(wasmFiles(name).wasm, join(root, `dist/workerd/${name}.wasm`));
      return { path: `./${name}.wasm`, external: true };
    });
    onResolve({ filter: /\/module-source\.js$/ }, () => ({ path: "compiled", namespace: "compiled" }));
    onLoad({ filter: /./, namespace: "compiled" }, () => ({
      contents: "export const moduleSource = (module) => module;",
    }));
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(build);
