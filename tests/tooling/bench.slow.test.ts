// Tests the verdicts of the benchmarks, and runs a few cheap cases as a user does.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, run } from "../support/process.js";

/** The scripts are plain Node without types. */
const part = (name: string) => import(new URL(`../../benches/${name}`, import.meta.url).href);
const { CASES } = await part("cases.mjs");
const { atMost, faster, ofPeer, soonerThan } = await part("goals.mjs");
const { median } = await part("median.mjs");
const { agreement, dataOf, differing, environmentOf, pageOf, textOf } = await part("report.mjs");
const { placed } = await import(new URL("../../scripts/command.mjs", import.meta.url).href);

const bench = (...args: string[]) =>
  run(process.execPath, [join(root, "scripts/tool.mjs"), "bench", ...args], {
    env: process.env as Record<string, string>,
  });

interface Row {
  case: string;
  ours: number | null;
  peer: number | null;
  peerName: string | null;
  limit: number | null;
  ratio: number | null;
  goal: string;
  ok: boolean;
}

const SHAPE = ["case", "goal", "limit", "ok", "ours", "peer", "peerName", "ratio"];

test("cases run beside their peers, and the rows have the shape that is promised", async () => {
  const { code, stdout, stderr } = await bench(
    "--quick",
    "--json",
    "--only",
    "outage-idle,import-packages",
    "--only",
    "fleet",
  );
  expect(stderr).not.toMatch(/✗|failed/);
  const results: { rows: Row[]; versions: object } = JSON.parse(stdout);
  const { rows } = results;
  expect(rows.map((row) => row.case)).toEqual(["outage-idle", "import-packages", "fleet"]);
  for (const row of rows) {
    expect(Object.keys(row).sort()).toEqual(SHAPE);
    expect(row.ok).toBe(true);
  }
  expect(rows[0]).toMatchObject({ ours: 0, peer: 1, peerName: "getBearerTokenProvider", limit: 0, ratio: 0 });
  expect(rows[1]).toMatchObject({ ours: 0, peerName: "@azure/identity" });
  expect(rows[1]?.peer).toBeGreaterThan(5);
  expect(rows[2]?.ours).toBeGreaterThanOrEqual(1);
  expect(rows[2]?.peer).toBeGreaterThan(50);
  expect(code).toBe(0);
  expect(JSON.parse(readFileSync(join(root, "target/bench.json"), "utf8"))).toEqual(results);
  expect(results).toMatchObject({ quick: true, node: process.versions.node });
  expect(results.versions).toMatchObject({
    "@azure/identity": expect.any(String),
    openai: expect.any(String),
  });
});

test.each([
  ["an unknown case", ["--only", "cached-cal"], 'There is no case "cached-cal"', "cached-call"],
  ["an unknown option", ["--fast"], "unknown option '--fast'", "npm run bench -- --help"],
  [
    "a file without marks",
    ["--only", "fleet", "--write", "SECURITY.md"],
    "SECURITY.md has no marks",
    "written by npm run bench",
  ],
])("%s is refused before anything is measured", async (_name, args, message, hint) => {
  const { code, stdout, stderr } = await bench("--quick", ...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr).toContain(hint);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test("--help names every case", async () => {
  const { code, stdout } = await bench("--help");
  expect(code).toBe(0);
  for (const { name } of CASES) expect(stdout.split(/[\s,.]+/)).toContain(name);
});

describe("the judgement", () => {
  test("median", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([5])]).toEqual([2, 2.5, 5]);
  });

  test.each([
    [faster(8), { ours: 10, peer: 80 }, true],
    [faster(8), { ours: 10, peer: 79 }, false],
    [faster(1), { ours: 10, peer: 9 }, false],
    [ofPeer(1.02, "it"), { ours: 102, peer: 100, ratio: 1.02 }, true],
    [ofPeer(1.02, "it"), { ours: 100, peer: 100, ratio: 1.03 }, false],
    [soonerThan(15, 130), { ours: 15, ratio: 0.5 }, true],
    [soonerThan(15, 130), { ours: 25, ratio: 0.11 }, true],
    [soonerThan(15, 130), { ours: 25, ratio: 0.12 }, false],
    [atMost(1, "request"), { ours: 1 }, true],
    [atMost(1, "request"), { ours: 2, peer: 1_000 }, false],
  ])("%o", (goal, figures, reached) => {
    expect(goal.reached(figures)).toBe(reached);
  });
});

const MISSED = {
  ...{
    case: "one",
    ours: 3,
    peer: 2,
    peerName: "them",
    limit: 1,
    ratio: 1.5,
    goal: "no more than the peer",
    ok: false,
  },
  ...{ title: "One thing", unit: "ms", shown: "1.5 x as much", notes: ["why it is so"] },
};

test("missed goals, and cases that could not run, stay in the table", () => {
  const plain = (text: string) => text;
  const failed = {
    ...MISSED,
    case: "two",
    ours: null,
    peer: null,
    limit: null,
    ratio: null,
    error: "it fell over",
  };
  const text = textOf(
    [MISSED, failed],
    { count: 1, differing: [] },
    { green: plain, red: plain, dim: plain },
  );
  expect(text).toMatch(/MISSED {2}them +2 ms +1\.5 x as much +no more than the peer\n +why it is so/);
  expect(text).toMatch(/failed {2}them[^\n]+\n[^\n]*why it is so\n +it fell over/);
  expect(dataOf([MISSED]).map((row: Row) => Object.keys(row).sort())).toEqual([SHAPE]);
});

test("several runs agree when every verdict is the same, whatever the figures", () => {
  const met = { ...MISSED, case: "two", ok: true };
  expect(differing([[MISSED, met]])).toEqual([]);
  expect(
    differing([
      [MISSED, met],
      [{ ...MISSED, ours: 4 }, met],
      [MISSED, met],
    ]),
  ).toEqual([]);
  expect(
    differing([
      [MISSED, met],
      [MISSED, met],
      [MISSED, { ...met, ok: false }],
    ]),
  ).toEqual(["two: them"]);
  expect(agreement({ count: 1, differing: [] })).toBe("");
  expect(agreement({ count: 3, differing: [] })).toBe("The verdicts of 3 runs agree.");
  expect(agreement({ count: 3, differing: ["two: them"] })).toContain("differ in: two: them");
});

test("docs/reference/bench.md has the marks between which --write puts the table, and keeps what is around them", () => {
  const file = join(root, "docs/reference/bench.md");
  const again = placed(file, "bench", () => pageOf([MISSED], environmentOf({ quick: true })));
  expect(again).toContain(
    "| One thing | 3 ms; limit 1 ms | them 2 ms (1.5 x as much) | no more than the peer: **missed**; why it is so |",
  );
  const around = (text: string) => {
    const parts = text.split(/(?<=<!-- written by npm run bench -->).*(?=<!-- end of npm run bench -->)/s);
    expect(parts).toHaveLength(2);
    return parts;
  };
  expect(around(again)).toEqual(around(readFileSync(file, "utf8")));
});
