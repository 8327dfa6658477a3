// Installs the runtimes of tests/runtimes/engines, which are large and only needed there.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

export default function setUp({ config }: TestProject): void {
  installEngines(config.root, "all");
}

/**
 * Runs `npm ci` if the lockfile has changed since the last run. The quick tests need only workerd.
 */
export function installEngines(root: string, which: "all" | "workerd"): void {
  const home = join(root, "tests/runtimes/engines");
  const lock = readFileSync(join(home, "package-lock.json"), "utf8");
  const stamp = join(home, "node_modules/.installed");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (installed === `all\n${lock}` || installed === `${which}\n${lock}`) return;
  console.log(
    which === "all"
      ? "Installing Node, Deno, Bun and workerd: half a gigabyte, once"
      : "Installing workerd, once",
  );
  execFileSync("npm", ["ci", "--no-audit", ...(which === "all" ? [] : ["--omit=dev"])], {
    cwd: home,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  writeFileSync(stamp, `${which}\n${lock}`);
}
