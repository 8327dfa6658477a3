// The development build: what `npm start` runs and `npm run dev` builds after every edit. It is unoptimized and stands in dist-dev/,
// so that nobody takes it for the package in dist/.

import { watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bundle, CLI, ENTRIES, PEERS, REQUIRE, sourceOf } from "./build.mjs";
import { foreground, ifChanged, main, root, step, together } from "./steps.mjs";
import { cargoTools, checkNode, npmPackages, rust } from "./toolchain.mjs";
import { compileDev, devModule, RUST } from "./wasm.mjs";
import { esbuildWasm } from "./wasm-plugin.mjs";

const INPUTS = [...RUST, "js", "package.json", "package-lock.json", "scripts"];

/** Builds the command line with the library in it. */
export const devBuild = () =>
  ifChanged("dev", INPUTS, ["dist-dev/cli.js"], async () => {
    await devModules();
    const alias = Object.fromEntries(
      ENTRIES.map((path) => [path.replace(".", "copilot-keyless"), sourceOf(path)]),
    );
    const options = {
      alias,
      splitting: true,
      external: PEERS,
      plugins: [esbuildWasm()],
      banner: { js: REQUIRE },
    };
    await bundle("dist-dev", CLI, options);
  });

/** Builds the development module, which is all that tests of the sources need, and installs what that takes. */
export async function devModules() {
  checkNode();
  await rust();
  await together(npmPackages(), cargoTools("wasm-bindgen"), step("Rust, unoptimized", compileDev));
  await devModule();
}

/** Builds after every edit. With a test file, Vitest runs it again whenever a source or the module has changed. */
async function dev(test) {
  const build = test ? devModule : devBuild;
  await (test ? devModules() : devBuild());
  let last = Promise.resolve();
  let waiting = false;
  const changed = () => {
    if (waiting) return;
    waiting = true;
    last = last
      .then(() => delay(50))
      .then(() => {
        waiting = false;
        return build().catch((error) => console.error(error.message));
      });
  };
  for (const folder of ["src", "crates/wasm/src", ...(test ? [] : ["js"])])
    watch(join(root, folder), { recursive: true }, changed);
  if (test) {
    const vitest = ["node_modules/vitest/vitest.mjs", "--watch", "--project", "unit", test];
    process.exit(await foreground(process.execPath, vitest));
  }
  console.error("Watching src/, crates/wasm and js/; `npm start` runs what was built. Ctrl-C ends.");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(() => dev(process.argv[2]));
