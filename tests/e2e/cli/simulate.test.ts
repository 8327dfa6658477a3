// Tests the `simulate` command: its table and chart, and its JSON timeline.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulateRefresh } from "copilot-keyless";
import { expect, test } from "vitest";
import { newcomer } from "../../support/process.js";
import { cli, expectClean, expectTold } from "./support.js";

test("shows the life of a token as a table and a chart", async () => {
  const result = await cli(["simulate", "--outage", "50m-70m", "--every", "10s"]);
  expect(result.code).toBe(0);
  expect(result.stdout).toMatch(/^calls +720: \d+ served at once/m);
  expect(result.stdout).toMatch(/^token +█+▒+·+█+$/m);
  expect(result.stdout).toMatch(/^requests +↑ +×+↑ *$/m);
  expect(result.stdout).toContain("credential/network");
  expectClean(result);
});

test("prints the very timeline of simulateRefresh as JSON", async () => {
  const args = [
    "simulate",
    "--json",
    "--duration",
    "3h",
    "--lifetime",
    "30m",
    "--latency",
    "2s",
    "--seed",
    "7",
  ];
  const result = await cli([...args, "--outage", "10m-20m:hang", "--outage", "40m-50m:429", "--keep-fresh"]);
  const minute = 60_000;
  expect(JSON.parse(result.stdout)).toEqual(
    simulateRefresh({
      durationMs: 180 * minute,
      token: { lifetimesMs: [30 * minute] },
      latencyMs: 2_000,
      seed: 7,
      keepFresh: true,
      outages: [
        { fromMs: 10 * minute, toMs: 20 * minute, mode: "hang" },
        { fromMs: 40 * minute, toMs: 50 * minute, mode: "status", status: 429 },
      ],
    }),
  );
});

test("draws the request rate of a fleet", async () => {
  const result = await cli(["simulate", "--instances", "200", "--duration", "20m", "--lifetime", "10m"]);
  expect(result.code).toBe(0);
  expect(result.stdout).toContain("200 instances");
  expect(result.stdout).toContain("▲");
});

test("reads a scenario from a file or standard input, options on top", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "copilot-keyless-scenario-")), "scenario.json");
  writeFileSync(file, JSON.stringify({ durationMs: 600_000, calls: { everyMs: 1_000 } }));
  const fromFile = await cli(["simulate", "--scenario", file, "--every", "2s"]);
  expect(fromFile.stdout).toMatch(/^calls +300: /m);
  const fromInput = await cli(["simulate", "--scenario", "-"], newcomer(), '{"durationMs": 600000}');
  expect(fromInput.stdout).toMatch(/^calls +10: /m);
});

test("says what is wrong with a scenario", async () => {
  expectTold(await cli(["simulate", "--scenario", "/nowhere.json"]), "scenario/invalid", /cannot be read/);
  expectTold(await cli(["simulate", "--scenario", "-"], newcomer(), "{"), "scenario/invalid", /not JSON/);
  expectTold(
    await cli(["simulate", "--scenario", "-"], newcomer(), '{"instances": 0}'),
    "scenario/invalid",
    /instances/,
  );
  for (const bad of [
    ["--outage", "50m"],
    ["--outage", "50m-60m:sometimes"],
    ["--lifetime", "soon"],
    ["--instances", "many"],
    ["--strategy", "luck"],
  ]) {
    const result = await cli(["simulate", ...bad]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/invalid|Allowed choices/);
    expectClean(result);
  }
});
