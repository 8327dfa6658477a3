// Installs the packages of a folder with a lockfile of its own.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Runs `npm ci` in a folder if its lockfile has changed since the last run. With `production`, its
 * `devDependencies` may be missing.
 */
export function installLocked(home: string, message: string, { production = false } = {}): void {
  const lock = readFileSync(join(home, "package-lock.json"), "utf8");
  const stamp = join(home, "node_modules/.installed");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  const part = production ? "production" : "all";
  if (installed === `all\n${lock}` || installed === `${part}\n${lock}`) return;
  console.log(message);
  execFileSync("npm", ["ci", "--no-audit", ...(production ? ["--omit=dev"] : [])], {
    cwd: home,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  writeFileSync(stamp, `${part}\n${lock}`);
}
