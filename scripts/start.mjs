// `npm start`: installs and builds what is missing, then starts a keyless conversation. `npm start
// -- --help` lists the options.
//
// `npm run dev [test]`: builds after every edit. With a test file, Vitest runs it again whenever a
// source or the module has changed.
//
// The development build is unoptimized. It goes to dist-dev/, so that nobody mistakes it for the
// package in dist/.

import { watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { bundle, CLI, ENTRIES, PEERS, REQUIRE, sourceOf } from "./build.mjs";
import { foreground, ifChanged, main, root } from "./steps.mjs";
import { checkNode, npmPackages } from "./toolchain.mjs";
import { devModule, RUST } from "./wasm.mjs";
import { esbuildWasm } from "./wasm-plugin.mjs";

const INPUTS = [...RUST, "js", "package.json", "package-lock.json", "scripts"];

/** Builds the command line with the library bundled into it. */
const devBuild = () =>
  ifChanged("dev", INPUTS, ["dist-dev/cli.js"], async () => {
    checkNode();
    await devModule();
    await npmPackages();
    const sources = ENTRIES.map((path) => [path.replace(".", "copilot-keyless"), sourceOf(path)]);
    await bundle("dist-dev", CLI, {
      alias: Object.fromEntries(sources),
      splitting: true,
      external: PEERS,
      plugins: [esbuildWasm()],
      banner: { js: REQUIRE },
    });
  });

async function dev(test) {
  await npmPackages();
  const build = test ? devModule : devBuild;
  await build();
  let edited = false;
  for (const folder of ["src", "crates/wasm/src", ...(test ? [] : ["js"])])
    watch(join(root, folder), { recursive: true }, () => (edited = true));
  const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "--watch", "--project", "unit", test];
  if (test) foreground(process.execPath, vitest).then(process.exit);
  else console.error("Watching src/, crates/wasm and js/; `npm start` runs what was built. Ctrl-C ends.");
  for (; ; await delay(100)) {
    if (!edited) continue;
    edited = false;
    await build().catch((error) => console.error(error.message));
  }
}

async function start(options) {
  await devBuild();
  return foreground(process.execPath, [join(root, "dist-dev/cli.js"), "chat", "--demo", ...options]);
}

const [first, ...rest] = process.argv.slice(2);
await main(() => (first === "--watch" ? dev(rest[0]) : start(process.argv.slice(2))));
