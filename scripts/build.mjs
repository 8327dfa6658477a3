// Builds the publishable package into dist/, with what it needs. What has not changed is not built again.

import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { thirdPartyLicenses } from "./licenses.mjs";
import { checkNode, setUp } from "./toolchain.mjs";
import { files, ifChanged, isFresh, main, root, run, StepError, step } from "./steps.mjs";
import { COMPONENT, releaseModules, RUST } from "./wasm.mjs";
import { esbuildWasm, IMPORT, RELEASE, wasmFiles } from "./wasm-plugin.mjs";

/** Everything that dist/ is made of. */
const INPUTS = [
  ...RUST,
  ...["crates/component", "wit", "js", "package.json", "package-lock.json", "tsconfig.json", "LICENSE"],
  ...["scripts/build.mjs", "scripts/licenses.mjs", "scripts/wasm-plugin.mjs"],
];
const OUTPUTS = ["dist/cli.js", "dist/types/index.d.ts", "dist/THIRD-PARTY-LICENSES.txt"];

/** The entry points that share code: file in dist/ and its source. */
const ENTRIES = {
  index: "js/index.ts",
  web: "js/web.ts",
  core: "js/core.ts",
  direct: "js/direct.ts",
  edge: "js/edge.ts",
};

/** Imported by users beside this package, never bundled into it. */
export const PEERS = ["@azure/functions", "@azure/identity", "@github/copilot-sdk"];

export async function build() {
  checkNode();
  await ifChanged("dist", INPUTS, OUTPUTS, async () => {
    await setUp();
    await releaseModules();
    await step("TypeScript to dist/", bundle);
  });
}

/** Rejects a dist/ that was built from other sources than those that are here. */
export function checkBuilt() {
  if (!isFresh("dist", INPUTS, OUTPUTS)) throw new StepError("dist/ is not up to date", "Run npm run build.");
}

async function bundle() {
  const { build: esbuild } = await import("esbuild");
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const bundled = [];
  const bundleTo = async (outdir, entryPoints, options) => {
    const { metafile } = await esbuild({
      absWorkingDir: root,
      bundle: true,
      entryPoints,
      format: "esm",
      platform: "node",
      target: "node20",
      outdir,
      // Names stay in the library, for stacks that can be read; nobody else's stack goes through the rest.
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
  await bundleTo("dist", ENTRIES, {
    minifyIdentifiers: false,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    external: PEERS,
    plugins: [esbuildWasm(RELEASE, true)],
  });
  const { web, ...entries } = ENTRIES;
  await bundleTo("dist/workerd", { ...entries, index: web }, {
    platform: "neutral",
    mainFields: ["module", "main"],
    splitting: true,
    chunkNames: "[name]-[hash]",
    external: [...PEERS, "cloudflare:workers"],
    plugins: [forWorkerd, esbuildWasm(RELEASE, true)],
  });
  // These use the package as everybody does, and share its classes and what they hold.
  const own = ["copilot-keyless", "copilot-keyless/*", ...PEERS];
  await bundleTo("dist", { "azure-functions": "js/azure-functions.ts" }, {
    external: own,
    plugins: [
      fromPackage("copilot-keyless", [
        ...["copilot/agent", "errors/keyless-error", "foundry/plan", "foundry/provider"],
      ]),
    ],
  });
  await bundleTo("dist", { emulator: "js/emulator.ts" }, {
    external: own,
    plugins: [fromPackage("copilot-keyless/core", ["errors/keyless-error"])],
  });
  await bundleTo("dist", { cli: "js/cli/main.ts" }, {
    external: own,
    // One of its libraries is CommonJS.
    banner: {
      js: '#!/usr/bin/env node\nimport { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
    },
  });
  chmodSync(join(root, "dist/cli.js"), 0o755);
  await types();
  cpSync(join(root, COMPONENT), join(root, "dist/component.wasm"));
  writeFileSync(join(root, "dist/THIRD-PARTY-LICENSES.txt"), thirdPartyLicenses(bundled));
}

/** The declarations that an entry point leads to. */
async function types() {
  await run("tsc", ["-p", "tsconfig.json"]);
  // tsc leaves hand-written declarations behind.
  for (const file of files("js").filter((path) => path.endsWith(".d.ts")))
    cpSync(join(root, file), join(root, "dist/types", file.slice("js/".length)));
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, path] of readFileSync(join(root, file), "utf8").matchAll(/["'](\.[^"']*)\.js["']/g))
      visit(posix.join(posix.dirname(file), `${path}.d.ts`));
  };
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const { types: entry } of Object.values(exports)) if (entry) visit(posix.normalize(entry));
  for (const file of files("dist/types")) if (!reached.has(file)) rmSync(join(root, file));
}

/** Imports some files of js/ from an entry point of the package instead of bundling a copy of them. */
function fromPackage(entry, sources) {
  const paths = new Set(sources.map((name) => join(root, `js/${name}.js`)));
  return {
    name: "from-package",
    setup(build) {
      build.onResolve({ filter: /\.js$/ }, ({ path, resolveDir }) =>
        paths.has(join(resolveDir, path)) ? { path: entry, external: true } : undefined,
      );
    },
  };
}

/** workerd compiles no bytes: the `.wasm` files are imported as modules, so that nothing is left to unpack. */
const forWorkerd = {
  name: "for-workerd",
  setup(build) {
    build.onResolve({ filter: /\/wait-until\.js$/ }, () => ({
      path: join(root, "js/platform/wait-until-workerd.ts"),
    }));
    build.onResolve({ filter: /-inline\.js$/ }, ({ path }) => {
      const [, name] = IMPORT.exec(path);
      cpSync(wasmFiles(name).wasm, join(root, `dist/workerd/${name}.wasm`));
      return { path: `./${name}.wasm`, external: true };
    });
    build.onResolve({ filter: /\/module-source\.js$/ }, () => ({ path: "compiled", namespace: "compiled" }));
    build.onLoad({ filter: /./, namespace: "compiled" }, () => ({
      contents: "export const moduleSource = (module) => module;",
    }));
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(build);
