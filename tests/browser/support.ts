// Opens the page as `npm run www` serves it, in Chromium.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launch } from "../support/browser.js";
import { root } from "../support/process.js";

interface Served {
  address: string;
  stop(): Promise<void>;
}

/** Serves the page that the set-up has built, on a free port, as `npm run www` does. */
async function serve(): Promise<Served> {
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const env = { ...process.env, NODE_ENV: "production", NO_COLOR: "1" };
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

/** Opens the page in one browser for all tests of a file. */
export function inBrowser() {
  let browser: Browser;
  let served: Served;
  let opened: Opened | undefined;

  beforeAll(async () => {
    [browser, served] = await Promise.all([launch(), serve()]);
  });

  afterAll(async () => {
    await browser?.close();
    await served?.stop();
  });

  // No test may log an error in the page or violate its content security policy.
  afterEach(async () => {
    const faults = opened?.faults;
    await opened?.page.context().close();
    opened = undefined;
    expect(faults ?? []).toEqual([]);
  });

  return {
    get browser() {
      return browser;
    },
    get address() {
      return served.address;
    },
    get requests() {
      return opened?.requests ?? [];
    },
    get faults() {
      return opened?.faults ?? [];
    },
    async visit(
      fragment = "",
      options?: BrowserContextOptions,
      prepare?: (page: Page) => Promise<void>,
    ): Promise<Page> {
      opened = await open(browser, served.address + fragment, options, prepare);
      return opened.page;
    },
  };
}

/** Returns the text of an element, once what it needs is loaded. */
export async function text(page: Page, id: string): Promise<string> {
  const element = page.locator(`#${id}`);
  await element.filter({ hasNotText: "Loading…" }).waitFor({ state: "attached" });
  return element.innerText();
}

/** Opens a panel by its tab. */
export const openTab = (page: Page, name: "Endpoint" | "Token" | "Error" | "Refresh" | "Try it") =>
  page.getByRole("tab", { name: new RegExp(`^${name}`) }).click();

export const shownPanels = (page: Page) =>
  page.locator("#tools > [role=tabpanel]:visible").evaluateAll((panels) => panels.map(({ id }) => id));

/** Returns an unsigned token with these claims. */
export function token(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

/** Checks each panel: nothing is wider than the page, and axe finds no fault. */
export async function expectFits(
  visit: (fragment?: string, options?: BrowserContextOptions) => Promise<Page>,
  colorScheme: "light" | "dark",
  width: number,
): Promise<void> {
  const page = await visit("", {
    colorScheme,
    viewport: { width, height: 800 },
    reducedMotion: "reduce",
  });
  const check = async (what: string) => {
    expect(await accessibility(page), what).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, what).toBeLessThanOrEqual(0);
  };
  for (const name of ["Endpoint", "Token", "Error", "Refresh"] as const) {
    await openTab(page, name);
    await check(name);
  }
  await openTab(page, "Try it");
  await page.click("#try-send");
  await check("Try it");
  // Without the example: empty results, then warnings.
  await page.click("#example-clear");
  await check("empty");
  await openTab(page, "Endpoint");
  await page.fill("#endpoint-url", "https://gw.azure-api.net/team");
  await check("a gateway");
  const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(dark).toBe(colorScheme === "dark" ? "rgb(15, 18, 25)" : "rgb(245, 246, 250)");
}
