// Opens the page as `npm run www` serves it, in Chromium.

import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page, Request } from "playwright-core";
import { root } from "../support/process.js";

export interface Served {
  address: string;
  stop(): Promise<void>;
}

/** Builds the page and serves it on a free port, as `npm run www` does after the build. */
export async function serve(): Promise<Served> {
  const vite = join(root, "node_modules/vite/bin/vite.js");
  // Vite would build a development page under the test runner's NODE_ENV.
  const env = { ...process.env, NODE_ENV: "production", NO_COLOR: "1" };
  const built = spawnSync(process.execPath, [vite, "build", "www"], { cwd: root, env, encoding: "utf8" });
  if (built.status !== 0) throw new Error(`vite build www failed: ${built.stderr}`);
  const child = spawn(process.execPath, [vite, "preview", "www", "--port", "0"], { cwd: root, env });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let said = "";
  const address = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      said += chunk;
      const found = /http:\S+/.exec(said)?.[0];
      if (found) resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("close", () => reject(new Error(`vite preview www ended: ${said}`)));
  });
  return {
    address,
    stop: async () => {
      child.kill("SIGTERM");
      await closed;
    },
  };
}

/** An open page, and everything that is wrong with it. */
export interface Opened {
  page: Page;
  requests: Request[];
  /** Console errors, uncaught errors and violations of the content policy. */
  faults: string[];
}

/** Opens the page in a fresh context, and waits until it works. */
export async function open(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
  prepare: (page: Page) => Promise<void> = async () => {},
): Promise<Opened> {
  const context = await browser.newContext({
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  const page = await context.newPage();
  const requests: Request[] = [];
  const faults: string[] = [];
  context.on("request", (request) => requests.push(request));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.exposeFunction("violated", (what: string) => faults.push(what));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      (globalThis as unknown as { violated(what: string): void }).violated(
        `content policy: ${violatedDirective} ${blockedURI}`,
      );
    });
  });
  await prepare(page);
  await page.goto(address);
  await page.waitForSelector("html[data-ready]");
  return { page, requests, faults };
}

/** Returns the axe rules that the page violates, with the elements. */
export async function accessibility(page: Page): Promise<string[]> {
  const source = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  const { readFileSync } = await import("node:fs");
  // Inject it through the debugger, because the page's policy blocks other scripts.
  await page.evaluate(readFileSync(source, "utf8"));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
    };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
    );
  });
}

/** Reads the clipboard. */
export function clipboard(page: Page): Promise<string> {
  return page.evaluate(() => navigator.clipboard.readText());
}
