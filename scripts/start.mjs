// `npm start`: installs and builds what is missing, then starts a keyless conversation. `npm start
// -- --help` lists the options.
//
// `npm run dev [test]`: builds after every edit. With a test file, Vitest runs it again whenever a
// source or the module has changed.

import { watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { quickBuild } from "./build.mjs";
import { foreground, main, root } from "./steps.mjs";
import { npmPackages } from "./toolchain.mjs";
import { devModule } from "./wasm.mjs";

async function dev(test) {
  await npmPackages();
  const build = test ? devModule : quickBuild;
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
  await quickBuild();
  return foreground(process.execPath, [join(root, "dist/cli.cjs"), "chat", "--demo", ...options]);
}

const options = process.argv.slice(2);
await main(() => (options[0] === "--watch" ? dev(options[1]) : start(options)));
