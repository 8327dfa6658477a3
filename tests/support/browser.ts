// Starts the browser of the tests. Installs one if there is none.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";

const HOW_TO_GO_ON = `Install Chromium or Chrome (Debian and Ubuntu: apt-get install chromium), or name one by the variable CHROMIUM. The other tests run without: npx vitest run --project '!browser'`;

/** Possible browsers. Playwright finds Chrome, Edge and its own downloads on each system. */
const PLACES: Record<string, LaunchOptions> = process.env.CHROMIUM
  ? { [process.env.CHROMIUM]: { executablePath: process.env.CHROMIUM } }
  : {
      "/usr/bin/chromium": { executablePath: "/usr/bin/chromium" },
      "/snap/bin/chromium": { executablePath: "/snap/bin/chromium" },
      Chrome: { channel: "chrome" },
      Edge: { channel: "msedge" },
      "Playwright's headless shell": {},
      "Playwright's Chromium": { channel: "chromium" },
    };

/** Starts the first browser that exists. Returns undefined if there is none. */
async function launchAny(): Promise<{ browser: Browser; place: string } | undefined> {
  for (const [place, options] of Object.entries(PLACES)) {
    if (options.executablePath && !existsSync(options.executablePath)) continue;
    try {
      return { browser: await chromium.launch({ ...options, args: ["--no-sandbox"] }), place };
    } catch (error) {
      if (!/is not found at|Executable doesn't exist/.test(String(error))) throw error;
    }
  }
  return undefined;
}

/** Starts the browser, or throws with instructions. */
export async function launch(): Promise<Browser> {
  const found = await launchAny();
  if (found) return found.browser;
  throw new Error(`This test needs a browser, and none was found. ${HOW_TO_GO_ON}`);
}

/** Installs a browser if there is none. Returns which one the tests use. */
export async function provideBrowser(): Promise<string> {
  const found = (await described()) ?? (process.env.CHROMIUM ? undefined : await install());
  if (found) return found;
  const why = process.env.CHROMIUM
    ? `there is none at ${process.env.CHROMIUM}, which the variable CHROMIUM names`
    : "none was found, and none could be installed";
  throw new Error(`The tests in tests/browser need a browser: ${why}. ${HOW_TO_GO_ON}`);
}

async function described(): Promise<string | undefined> {
  const found = await launchAny();
  if (!found) return undefined;
  const version = found.browser.version();
  await found.browser.close();
  return `${found.place}, version ${version}`;
}

/** Installs a browser: by apt-get as root, otherwise as Playwright's download. */
async function install(): Promise<string | undefined> {
  const run = (command: string, ...args: string[]) => {
    console.log(`Installing a browser: ${command} ${args.join(" ")}`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const { status, stderr } = spawnSync(command, args, { env, encoding: "utf8", timeout: 300_000 });
    if (status !== 0) console.log(/^.*(?:error|fail|E:).*$/im.exec(stderr ?? "")?.[0] ?? `${command} failed`);
    return status === 0;
  };
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    run("apt-get", "update", "-qq");
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium");
    const found = await described();
    if (found) return found;
  }
  const cli = join(dirname(createRequire(import.meta.url).resolve("playwright-core/package.json")), "cli.js");
  run(process.execPath, cli, "install", "chromium-headless-shell");
  return described();
}
