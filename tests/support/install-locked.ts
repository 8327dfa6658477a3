// Installs the packages of a folder with a lockfile of its own.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./process.js";

/** How long another process may take to install the same packages, in milliseconds. */
const PATIENCE = 600_000;

/**
 * Runs `npm ci` in a folder if its lockfile has changed since the last run. With `production`, its
 * `devDependencies` may be missing. Test files that run at once install them one after another.
 *
 * @throws if another process takes longer than ten minutes
 */
export function installLocked(home: string, message: string, { production = false } = {}): void {
  const lock = readFileSync(join(home, "package-lock.json"), "utf8");
  const stamp = join(home, "node_modules/.installed");
  const part = production ? "production" : "all";
  const isInstalled = () => {
    const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
    return installed === `all\n${lock}` || installed === `${part}\n${lock}`;
  };
  if (isInstalled()) return;
  const release = waitForTurn(home);
  try {
    if (isInstalled()) return;
    console.log(message);
    execFileSync("npm", ["ci", "--no-audit", ...(production ? ["--omit=dev"] : [])], {
      cwd: home,
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    });
    writeFileSync(stamp, `${part}\n${lock}`);
  } finally {
    release();
  }
}

/** Waits until no other process installs in a folder. Returns how to let the next one in. */
function waitForTurn(home: string): () => void {
  const file = join(root, "target", `installing-${relative(root, home).replace(/\W+/g, "-")}`);
  mkdirSync(join(root, "target"), { recursive: true });
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (const until = Date.now() + PATIENCE; Date.now() < until; ) {
    try {
      writeFileSync(file, `${process.pid}`, { flag: "wx" });
      return () => rmSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (!isAlive(file)) rmSync(file, { force: true });
    Atomics.wait(sleeper, 0, 0, 200);
  }
  throw new Error(`Another process installs packages, or has left ${file} behind`);
}

/** Whether the process that wrote its number into a file runs. */
function isAlive(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    // Empty for the moment in which it is written.
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
