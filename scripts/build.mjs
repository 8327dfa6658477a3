// Builds the publishable package into dist/, setting up what is missing. What has not changed is not built again.

import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { COMPONENT, component } from "./component.mjs";
import { thirdPartyLicenses } from "./licenses.mjs";
import { files, ifChanged, main, root, run, StepError, step } from "./steps.mjs";
import { setUp } from "./toolchain.mjs";
import { blankSourcePathsIn, withoutPaths } from "./wasm-paths.mjs";

/** The entry points that share code: file in dist/ and its source. */
const ENTRIES = {
  index: "js/index.ts",
  web: "js/web.ts",
  core: "js/core.ts",
  direct: "js/direct.ts",
  edge: "js/edge.ts",
};

/** Those of workerd, which compiles no bytes: they import the `.wasm` files beside them. */
const WORKERD_ENTRIES = {
  index: "js/web.ts",
  core: "js/core.ts",
  direct: "js/direct.ts",
  edge: "js/edge.ts",
};

/** The WebAssembly modules, and where wasm-pack puts them. */
export const MODULES = { core: "pkg", plan: "pkg-plan", net: "pkg-net" };

/** Imported by users beside this package, never bundled into it. */
const PEERS = ["@azure/functions", "@azure/identity", "@github/copilot-sdk"];

export async function build() {
  await setUp();
  for (const name of Object.keys(MODULES)) await webAssembly(name, MODULES[name], name);
  await component();
  await ifChanged(
    "dist",
    [
      "js",
      ...Object.values(MODULES).flatMap((pkg) => [
        `${pkg}/copilot_keyless_bg.wasm`,
        `${pkg}/copilot_keyless.js`,
      ]),
      COMPONENT,
      "package.json",
      "tsconfig.json",
      "Cargo.lock",
      "scripts/build.mjs",
      "scripts/licenses.mjs",
    ],
    ["dist/cli.js", "dist/types/index.d.ts"],
    () => step("TypeScript to dist/", bundle),
  );
}

/** A module with what some cargo features offer, by wasm-pack. */
export function webAssembly(name, out, features) {
  const args = ["build", "--target", "web", "--release", "--mode", "no-install"];
  args.push("--no-typescript", "--no-pack", "--out-dir", join(root, out), "--out-name", "copilot_keyless");
  args.push("crates/wasm", "--", "--features", features);
  const inputs = ["src", "crates/wasm", "Cargo.toml", "Cargo.lock"];
  inputs.push("scripts/build.mjs", "scripts/wasm-paths.mjs");
  return ifChanged(`wasm-${name}`, inputs, [`${out}/copilot_keyless_bg.wasm`], () =>
    step(`Rust to WebAssembly: ${name}`, async (onLine) => {
      await run("wasm-pack", args, { onLine, env: withoutPaths() });
      blankSourcePathsIn(join(root, out, "copilot_keyless_bg.wasm"));
    }),
  );
}

async function bundle() {
  const { build: esbuild } = await import("esbuild");
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const shared = {
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outdir: "dist",
    // Names stay, for stacks that can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    // Node shows the line of an error that nobody catches: not one with a whole module in it.
    lineLimit: 160,
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
  };
  const library = await esbuild({
    ...shared,
    entryPoints: ENTRIES,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    external: PEERS,
    plugins: [wasmPack, inlinedWasm],
  });
  await esbuild({
    ...shared,
    entryPoints: WORKERD_ENTRIES,
    outdir: "dist/workerd",
    platform: "neutral",
    mainFields: ["module", "main"],
    minifyIdentifiers: true,
    splitting: true,
    chunkNames: "[name]-[hash]",
    external: [...PEERS, "cloudflare:workers"],
    plugins: [wasmPack, forWorkerd],
  });
  const functions = await esbuild({
    ...shared,
    entryPoints: { "azure-functions": "js/azure-functions.ts" },
    minifyIdentifiers: true,
    external: ["copilot-keyless", "copilot-keyless/*", ...PEERS],
    plugins: [samePackage],
  });
  // Nobody's stack but their own goes through these two.
  const emulator = await esbuild({
    ...shared,
    entryPoints: { emulator: "js/emulator.ts" },
    minifyIdentifiers: true,
    external: ["copilot-keyless/*"],
    plugins: [sameErrors],
  });
  const cli = await esbuild({
    ...shared,
    entryPoints: { cli: "js/cli/main.ts" },
    minifyIdentifiers: true,
    // The command line uses the package as everybody does; one of its libraries is CommonJS.
    external: ["copilot-keyless", "copilot-keyless/*", ...PEERS],
    banner: {
      js: '#!/usr/bin/env node\nimport { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
    },
  });
  chmodSync(join(root, "dist/cli.js"), 0o755);
  await run("tsc", ["-p", "tsconfig.json"]);
  // tsc leaves hand-written declarations behind.
  for (const file of files("js").filter((path) => path.endsWith(".d.ts"))) {
    cpSync(join(root, file), join(root, "dist/types", file.slice("js/".length)));
  }
  dropUnreachableTypes();
  cpSync(join(root, COMPONENT), join(root, "dist/component.wasm"));
  const bundled = [library, functions, emulator, cli].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  writeFileSync(join(root, "dist/THIRD-PARTY-LICENSES.txt"), thirdPartyLicenses(bundled));
}

/** Declarations that no entry point leads to are of no use to anybody. */
function dropUnreachableTypes() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, path] of readFileSync(join(root, file), "utf8").matchAll(/["'](\.[^"']*)\.js["']/g))
      visit(posix.join(posix.dirname(file), `${path}.d.ts`));
  };
  for (const { types } of Object.values(exports)) if (types) visit(posix.normalize(types));
  for (const file of files("dist/types")) if (!reached.has(file)) rmSync(join(root, file));
}

/** Whether an import is of one of these files of js/, whichever file it stands in. */
function isShared(names, path, resolveDir) {
  return names.some((name) => join(resolveDir, path) === join(root, `js/${name}.js`));
}

/** An error of the emulator is a KeylessError of the package that the user has, not of a copy. */
const sameErrors = {
  name: "same-errors",
  setup(build) {
    build.onResolve({ filter: /\/keyless-error\.js$/ }, ({ path, resolveDir }) =>
      isShared(["errors/keyless-error"], path, resolveDir)
        ? { path: "copilot-keyless/core", external: true }
        : undefined,
    );
  },
};

/** The handler shares the agent's classes, and what they hold, with the rest of the package. */
const samePackage = {
  name: "same-package",
  setup(build) {
    const shared = ["copilot/agent", "errors/keyless-error", "foundry/plan", "foundry/provider"];
    build.onResolve({ filter: /\.js$/ }, ({ path, resolveDir }) =>
      isShared(shared, path, resolveDir) ? { path: "copilot-keyless", external: true } : undefined,
    );
  },
};

/** What stands in the place of a module's `.wasm`. */
const WASM = /\/modules\/(\w+)-inline\.js$/;

const wasmFile = (name) => join(root, MODULES[name], "copilot_keyless_bg.wasm");

/** The `.wasm` files, packed, as texts. */
const inlinedWasm = {
  name: "inlined-wasm",
  setup(build) {
    build.onResolve({ filter: WASM }, ({ path }) => ({ path: WASM.exec(path)[1], namespace: "wasm" }));
    build.onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => {
      const packed = deflateRawSync(readFileSync(wasmFile(path)), { level: 9 }).toString("base64");
      return { contents: `export default ${JSON.stringify(packed)}` };
    });
  },
};

/** workerd: the `.wasm` files as modules that it has compiled, so that nothing is left to unpack. */
const forWorkerd = {
  name: "for-workerd",
  setup(build) {
    build.onResolve({ filter: /\/wait-until\.js$/ }, () => ({
      path: join(root, "js/platform/wait-until-workerd.ts"),
    }));
    build.onResolve({ filter: WASM }, ({ path }) => {
      const name = WASM.exec(path)[1];
      cpSync(wasmFile(name), join(root, `dist/workerd/${name}.wasm`));
      return { path: `./${name}.wasm`, external: true };
    });
    build.onResolve({ filter: /\/module-source\.js$/ }, () => ({ path: "compiled", namespace: "wasm" }));
    build.onLoad({ filter: /.*/, namespace: "wasm" }, () => ({
      contents: "export const moduleSource = (module) => module;",
    }));
  },
};

/** The network module's bindings with the `fetch`, `Request` and `Response` of js/wasm/net-platform.ts, which reqwest takes from the platform. */
export function withNetPlatform(bindings, path) {
  // In service workers and workerd reqwest calls the global object's.
  const own = bindings.replace("getObject(arg0).fetch(getObject(arg1))", "fetch(getObject(arg1))");
  if (own === bindings) throw new StepError("wasm-bindgen writes the call of fetch in another way");
  return `import { fetch, Request, Response } from ${JSON.stringify(path)};\n${own}`;
}

/** wasm-pack's modules in the place of js/wasm/modules/*.js. */
const wasmPack = {
  name: "wasm-pack",
  setup(build) {
    build.onResolve({ filter: /\/modules\/(core|plan|net)\.js$/ }, ({ path }) => ({
      path: basename(path, ".js"),
      namespace: "bindings",
    }));
    // All but the default export, which fetches the `.wasm` from beside the module: webpack would look for it.
    build.onLoad({ filter: /.*/, namespace: "bindings" }, ({ path }) => ({
      contents: `export * from "./${MODULES[path]}/copilot_keyless.js";`,
      resolveDir: root,
    }));
    // wasm-pack's names are of no help in a stack, so they are shortened too.
    build.onLoad({ filter: /[\\/]copilot_keyless\.js$/ }, async ({ path }) => {
      const bindings = readFileSync(path, "utf8");
      const own = path.includes("pkg-net")
        ? withNetPlatform(bindings, "../js/wasm/net-platform.js")
        : bindings;
      const { code } = await build.esbuild.transform(own, { minify: true });
      return { contents: code };
    });
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(build);
