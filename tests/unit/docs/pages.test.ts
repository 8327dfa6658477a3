// Checks the pages: links have targets, tables fit, the README is short, and its figures are the
// measured ones.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../support/process.js";

const below = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`);

const PAGES = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "examples/azure-functions/README.md",
  "examples/chat-server/README.md",
  "examples/hosted-agent/README.md",
  ...below("docs"),
];

/** Returns a page without its code blocks. */
const textOf = (page: string) => readFileSync(join(root, page), "utf8").replace(/^```.*?^```$/gms, "");

/** Returns GitHub's anchor of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchor(heading as string));

test.each(PAGES)("every link of %s leads to a file, and to a heading of it", (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string);
  const broken = links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path, heading] = link.split("#");
    const target = path === "" ? page : relative(root, join(root, dirname(page), path as string));
    if (!existsSync(join(root, target))) return true;
    return heading !== undefined && !anchorsOf(target).includes(heading);
  });
  expect(broken).toEqual([]);
});

test.each(PAGES)("every path of the repository that %s names exists", (page) => {
  const paths = [
    ...textOf(page).matchAll(
      /`((?:benches|crates|docs|examples|js|scripts|site|src|tests|wit|www)\/[\w./-]*)`/g,
    ),
  ];
  const named = paths.map(([, path]) => path as string).filter((path) => path !== "www/dist");
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

describe.each(PAGES.filter((page) => !page.startsWith("CONTRIBUTING")))("%s", (page) => {
  const lines = textOf(page).split("\n");

  test("has tables of four columns at most", () => {
    const wide = lines.filter((line) => line.startsWith("|") && line.split(" | ").length > 4);
    expect(wide).toEqual([]);
  });

  test("wraps prose at 100 columns", () => {
    // A line cannot be broken inside a link or a code span.
    const long = lines.filter(
      (line) =>
        line.length > 100 &&
        !/^(\||!\[|Measured on|<!--)/.test(line) &&
        /\S \S/.test(line.replaceAll(/`[^`]*`|\[[^\]]*\]\([^)]*\)/g, "x").slice(0, 100)) &&
        line.lastIndexOf(" ", 100) > 0 &&
        !/`[^`]*$|\[[^\]]*$/.test(line.slice(0, 101)),
    );
    expect(long).toEqual([]);
  });
});

describe("the README", () => {
  const readme = textOf("README.md");
  const faults = readFileSync(join(root, "docs/reference/faults.md"), "utf8");
  const bench = readFileSync(join(root, "docs/reference/bench.md"), "utf8");

  test("has at most 150 lines", () => {
    expect(readFileSync(join(root, "README.md"), "utf8").split("\n").length).toBeLessThanOrEqual(151);
  });

  test("has the figures of the benchmark of an outage", () => {
    const [, ours, peer] =
      /^\| acquisitions in an outage of 12 h, token of 24 h \| ([\d,]+) \| getBearerTokenProvider ([\d,]+)/m.exec(
        bench,
      ) ?? [];
    expect(readme).toContain(`| ${ours} attempts`);
    expect(readme).toContain(`| ${peer} attempts`);
  });

  test("has the figures of the fault table, as its own page sums them up", () => {
    const rows = faults.match(/^\| .* \|$/gm) ?? [];
    const count = rows.filter((row) => /^\| \*\*.+\*\* `[\w-]+`: \w+/.test(row)).length;
    const of = (name: string) =>
      rows.filter((row) => row.startsWith(`| ${name} | `) && row.includes("served"));
    const lost = (name: string) => of(name).filter((row) => row.includes(" lost)")).length;
    const ended = (name: string) => of(name).filter((row) => row.includes("process ended")).length;
    const explained = (name: string) => {
      const pairs = of(name).flatMap((row) => [...row.matchAll(/\b(\d+)\/(\d+) explained/g)]);
      const sum = (index: number) => pairs.reduce((total, pair) => total + Number(pair[index]), 0);
      return `${sum(1)} of ${sum(2)}`;
    };
    const [ours, peer, guide] = [
      "copilot-keyless",
      "getBearerTokenProvider",
      "the credential per session",
    ] as const;
    expect(lost(ours)).toBe(0);
    expect(readme).toContain(`| ${count} faults of identity, resource, clock and process `);
    expect(readme).toContain(`${explained(ours)} errors explained`);
    expect(readme).toContain(
      `calls lost in ${lost(peer)} faults, process ended in ${ended(peer)}, ${explained(peer)} errors explained`,
    );
    const columns = [ours, peer, guide];
    const line = (of: (name: string) => unknown) => columns.map((name) => of(name)).join(" | ");
    expect(faults).toContain(`| of ${count} faults | `);
    expect(faults).toContain(`| lost a call that could be served | ${line(lost)} |`);
    expect(faults).toContain(`| process ended | ${line(ended)} |`);
    expect(faults).toContain(`| errors that explain themselves | ${line(explained)} |`);
  });
});

test("the recording shows a run to its end, and nothing of the machine", () => {
  const svg = readFileSync(join(root, "docs/assets/start.svg"), "utf8");
  const shown = svg.replaceAll(/<style>.*?<\/style>/gs, "").replaceAll(/<[^>]+>/g, " ");
  expect(shown).toMatch(/npm start/);
  expect(shown).toMatch(/turns\s+2/);
  expect(shown).toMatch(/no API key/);
  expect(shown).not.toMatch(/\/(?:home|root|tmp|work|Users)\//);
});

test("the pytest sample is the one that examples/test runs", () => {
  const guide = readFileSync(join(root, "docs/guides/testing-with-the-emulator.md"), "utf8");
  const program = readFileSync(join(root, "examples/python/tests/test_app.py"), "utf8");
  expect(/^```python\n(.*?)^```$/ms.exec(guide)?.[1]).toBe(program);
});
