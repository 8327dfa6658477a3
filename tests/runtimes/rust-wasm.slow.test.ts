// Builds examples/rust-wasm, and lets it keep a token in workerd and in Chromium.

import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import { beforeAll, expect, test } from "vitest";
// @ts-expect-error: plain Node, without types
import { run } from "../../scripts/steps.mjs";
// @ts-expect-error: plain Node, without types
import { cargoTools, rust } from "../../scripts/toolchain.mjs";
import { launch } from "../support/browser.js";
import { root } from "../support/process.js";
import { startWorker } from "./workerd.js";

const EXAMPLE = join(root, "examples/rust-wasm");
const TARGET = "wasm32-unknown-unknown";
/** From this date on a request may resolve a promise that another one waits for. */
const ACROSS_REQUESTS = "2024-10-14";
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

beforeAll(async () => {
  await rust();
  await cargoTools("wasm-bindgen");
  const build = ["rustc", "--locked", "--quiet", "--lib", "--crate-type", "cdylib", "--target", TARGET];
  await run("cargo", build, { cwd: EXAMPLE });
  const compiled = join(process.env.CARGO_TARGET_DIR ?? join(EXAMPLE, "target"), TARGET, "debug/tokens.wasm");
  await run("wasm-bindgen", [compiled, "--target", "web", "--out-dir", join(EXAMPLE, "target/pkg")]);
}, 600_000);

/** Three callers each 200 ms, for three tokens of four seconds. */
async function keepsFresh(emulator: Emulator, ask: () => Promise<string>): Promise<void> {
  const until = Date.now() + 8_000;
  while (Date.now() < until) {
    const said = await Promise.all([ask(), ask(), ask()]);
    expect(said).toEqual(Array.from(said, () => expect.stringMatching(/^a token of \d+ characters$/)));
    await new Promise((done) => setTimeout(done, 200));
  }
  // One at the start, then one for each half life.
  expect(emulator.counts.identity).toBeGreaterThanOrEqual(3);
  expect(emulator.counts.identity).toBeLessThanOrEqual(5);
}

test("in workerd, requests share a token and its refresh", async () => {
  await using emulator = await startEmulator({ tokenLifetimeSeconds: 4, platformCache: false });
  const folder = mkdtempSync(join(tmpdir(), "rust-wasm-"));
  const worker = await startWorker(folder, "rust-wasm-worker", emulator.env, ACROSS_REQUESTS);
  try {
    await keepsFresh(emulator, async () => (await fetch(worker.address)).text());
  } finally {
    worker.stop();
  }
});

test("in a browser, the page's server passes the requests on", async () => {
  await using emulator = await startEmulator({ tokenLifetimeSeconds: 4, platformCache: false });
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.env;
  const server = createServer(async ({ url = "" }, answer) => {
    const { pathname, search } = new URL(url, "http://localhost");
    if (pathname === "/identity") {
      const asked = await fetch(IDENTITY_ENDPOINT + search, {
        headers: { "x-identity-header": IDENTITY_HEADER },
      });
      answer.writeHead(asked.status).end(await asked.text());
      return;
    }
    const type = TYPES[extname(pathname)];
    if (type) answer.writeHead(200, { "content-type": type }).end(readFileSync(join(EXAMPLE, pathname)));
    else answer.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/page.html`);
    const output = page.locator("output");
    await expect.poll(() => output.textContent()).toContain("a token");
    await keepsFresh(emulator, async () => (await output.textContent()) ?? "");
    expect(faults).toEqual([]);
  } finally {
    await browser.close();
    server.close();
  }
});
