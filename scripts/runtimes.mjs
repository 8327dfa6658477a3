// `npm run tool runtimes`: installs the runtimes and runs the suite in each. `-- --write` writes the result to docs/reference/runtimes.md.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { ifChanged, main, root, run, step } from "./steps.mjs";

const HOME = "tests/runtimes/engines";

/** The runtimes of tests/runtimes/engines, which are large and needed by nothing but these tests. */
export function installRuntimes() {
  const inputs = ["package.json", "package-lock.json"].map((name) => `${HOME}/${name}`);
  return ifChanged("runtimes", inputs, [`${HOME}/node_modules/workerd/package.json`], () =>
    step(
      "Node, Deno, Bun and workerd",
      (onLine) =>
        run("npm", ["ci", "--no-audit", "--no-fund"], {
          onLine,
          cwd: join(root, HOME),
          hint: "Check the network and the npm registry that `npm config get registry` names.",
        }),
      "half a gigabyte, about half a minute, once",
    ),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await build();
    await installRuntimes();
    const env = process.argv.includes("--write") ? { WRITE_DOCS: "1" } : {};
    await run("vitest", ["run", "tests/runtimes"], { env, show: true });
  });
}
