// Every row of SECURITY.md names a test, and that test exists.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../support/process.js";

const page = readFileSync(join(root, "SECURITY.md"), "utf8");
const rows = [...page.matchAll(/^\| (?!claim|---)(.+?) \| (.+) \|$/gm)].map(
  ([, claim, proof]) => [claim as string, proof as string] as const,
);

/** Whether a file contains the test: a function in Rust, the start of a title elsewhere. */
function holds(file: string, title: string, text: string): boolean {
  if (file.endsWith(".rs")) return new RegExp(`#\\[test\\]\\s+fn ${title}\\(`).test(text);
  const literal = title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(
    `\\b(?:test|it)(?:\\.concurrent)?(?:\\.(?:each|runIf))?\\(\\s*(?:[^"'\`;]*\\)\\(\\s*)?["'\`]${literal}(?:["'\`]|: %s)`,
  ).test(text);
}

test("every attack surface has rows", () => {
  const headings = [...page.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([
    "The endpoint",
    "The identity endpoint",
    "The token",
    "The environment",
    "Input of pages and callers",
    "The gateway",
    "Conversations",
    "What is installed",
  ]);
  for (const section of page.split(/^### /m).slice(1))
    expect(section.match(/^\| .* `tests\//gm)?.length).toBeGreaterThan(2);
});

test.each(rows)("%s", (_claim, proof) => {
  const tests = proof.split("; `").map((one) => /^`?(tests\/[\w./-]+)`: (.+)$/.exec(one));
  expect(tests).not.toContain(null);
  for (const found of tests) {
    const [, file, title] = found as unknown as [string, string, string];
    expect(holds(file, title, readFileSync(join(root, file), "utf8")), `${file}: ${title}`).toBe(true);
  }
});

test("a title that no test has is noticed", () => {
  const text = 'test("it works", () => {});\n#[test]\nfn it_works() {}\nfn helper() {}';
  expect(holds("a.test.ts", "it works", text)).toBe(true);
  expect(holds("a.test.ts", "it", text)).toBe(false);
  expect(holds("a.rs", "it_works", text)).toBe(true);
  expect(holds("a.rs", "helper", text)).toBe(false);
});
