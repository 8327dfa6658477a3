// The development build: what `npm start` runs and `npm run dev` watches. It is unoptimized and stands in dist-dev/, so that it is
// never taken for the package in dist/.

import { watch } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PEERS } from "./build.mjs";
import { cargoTools, checkNode, npmPackages, rust } from "./toolchain.mjs";
import { foreground, ifChanged, main, root, step, together } from "./steps.mjs";
import { compileDev, devModule, RUST } from "./wasm.mjs";
import { esbuildWasm } from "./wasm-plugin.mjs";

const INPUTS = [...RUST, "js", "package.json", "package-lock.json", "scripts/dev.mjs", "scripts/wasm-plugin.mjs"];

/** Builds the command line with the library in it, unless nothing has changed. */
export function devBuild() {
  return ifChanged("dev", INPUTS, ["dist-dev/cli.js"], async () => {
    await devModules();
    await bundle();
  });
}

/** Builds the development module, and first installs what that needs: all that tests of the sources ask for. */
export async function devModules() {
  checkNode();
  await rust();
  await together(npmPackages(), cargoTools("wasm-bindgen"), step("Rust, unoptimized", compileDev));
  await devModule();
}

async function bundle() {
  const { build } = await import("esbuild");
  const entry = (name) => join(root, "js", `${name}.ts`);
  await build({
    absWorkingDir: root,
    bundle: true,
    entryPoints: { cli: "js/cli/main.ts" },
    format: "esm",
    platform: "node",
    target: "node20",
    outdir: "dist-dev",
    splitting: true,
    logLevel: "warning",
    external: PEERS,
    plugins: [esbuildWasm()],
    alias: {
      "copilot-keyless": entry("index"),
      ...Object.fromEntries(
        ["azure-functions", "core", "direct", "edge", "emulator"].map((name) => [`copilot-keyless/${name}`, entry(name)]),
      ),
    },
    banner: {
      js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
    },
  });
}

/** Builds again after every edit, and with a test file runs it again. */
async function dev(test) {
  await (test ? devModules() : devBuild());
  const build = test ? devModule : devBuild;
  let last = Promise.resolve();
  let timer;
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      last = last.then(build).then(
        (built) => built && console.error("Built"),
        (error) => console.error(error.message),
      );
    }, 50);
  };
  for (const folder of ["src", "crates/wasm/src", ...(test ? [] : ["js"])])
    watch(join(root, folder), { recursive: true }, changed);
  if (!test) return new Promise(() => console.error("Watching src/, crates/wasm and js/; npm start runs what was built"));
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  process.exit(await foreground(process.execPath, [vitest, "--watch", "--project", "unit", test]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(() => dev(process.argv[2]));
