/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// Tests what the page loads first, in the publishable build.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { root } from "../support/process.js";
import { script } from "../support/scripts.js";
import { inBrowser } from "./support.js";

(await script("build")).checkBuilt();
const shown = inBrowser();

test("the page loads less than 150 KB first, the charts included, and 280 KB with what explains the example", async () => {
  const page = await shown.visit();
  const files = await page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname),
  );
  const all = ["/index.html", ...files].filter((name) => !name.endsWith("offline.js"));
  const first = all.filter((name) => !name.includes("explain"));
  expect(first.some((name) => name.endsWith(".wasm"))).toBe(true);
  const sizeOf = (names: string[]) =>
    names
      .map((name) => brotliCompressSync(readFileSync(join(root, "www/dist", name))).length)
      .reduce((sum, one) => sum + one, 0);
  expect(sizeOf(first)).toBeLessThan(150_000);
  expect(sizeOf(all)).toBeLessThan(280_000);
});
