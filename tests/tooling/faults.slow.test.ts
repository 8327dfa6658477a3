// Tests `npm run tool faults`: cheap faults through the command itself, and its judge.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const BEGIN = "<!-- written by npm run tool faults -->";
const END = "<!-- end of npm run tool faults -->";
const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-faults-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The scripts are plain Node without types. */
const part = (name: string) => import(new URL(`../../benches/faults/${name}`, import.meta.url).href);

function faults(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, "scripts/tool.mjs"), "faults", ...args], { cwd: root });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

describe.concurrent("the command", () => {
  test("runs the faults that are named, and judges them", async () => {
    const page = join(folder, "page.md");
    writeFileSync(page, `before\n${BEGIN}\nlast time\n${END}\nafter\n`);
    const only = "no-home,full-disk,resource-401-once";
    const { code, stdout, stderr } = await faults("--only", only, "--json", "--write", page);
    expect(code, stderr).toBe(0);
    const results = JSON.parse(stdout);
    expect(JSON.parse(readFileSync(join(root, "target/faults.json"), "utf8"))).toEqual(results);
    expect(results).toMatchObject({ node: process.version, complete: true });
    expect(results.versions["@azure/identity"]).toMatch(/^4\./);
    expect(results.rows.map((row: { id: string }) => row.id)).toEqual([
      "resource-401-once",
      "no-home",
      "full-disk",
    ]);
    const [once, home, disk] = results.rows;
    for (const { verdict, skipped, problems, cells } of results.rows) {
      expect(problems).toEqual([]);
      if (skipped !== undefined) {
        expect(verdict).toBe("skipped");
        continue;
      }
      expect(verdict).toBe("ok");
      expect(Object.keys(cells)).toEqual(["agent", "direct", "provider", "bare"]);
      for (const name of ["agent", "direct"]) {
        expect(cells[name]).toMatchObject({ lost: 0, alive: true, toldWell: cells[name].failed });
      }
      for (const cell of Object.values<Record<string, number>>(cells)) {
        expect(cell.longestWaitMs).toBeGreaterThan(0);
        expect(cell.identityRequests).toBeGreaterThanOrEqual(0);
      }
    }
    expect([once.verdict, home.verdict]).toEqual(["ok", "ok"]);
    expect(once.cells.agent).toMatchObject({ served: 3, failed: 0 });
    expect(home.cells.agent.errors[0]).toMatchObject({
      code: "sdk/home-not-writable",
      judged: { code: true, cause: true, step: true },
    });
    if (disk.skipped === undefined) {
      const { errors, longestWaitMs } = disk.cells.agent;
      expect(errors).toMatchObject([{ code: "sdk/home-not-writable" }, { code: "sdk/home-not-writable" }]);
      expect(errors[1]).toMatchObject({
        message: expect.stringContaining("the disk is full"),
        hint: expect.stringContaining("Make room"),
      });
      // The session never became idle after its turn had failed.
      expect(longestWaitMs).toBeLessThan(10_000);
    } else expect(disk.skipped).toContain("namespaces");
    const written = readFileSync(page, "utf8");
    expect(written).toContain(`before\n${BEGIN}\n\nMeasured on `);
    expect(written).toContain("`resource-401-once`");
    expect(written).not.toContain("last time");
    expect(written).toContain(`${END}\nafter\n`);
    // No colours, because the output is not a terminal.
    expect(stderr).not.toContain("\x1b");
  }, 30_000);

  test.each([
    [["--only", "identity-500,no-such"], 'There is no fault "no-such"', "identity-429-retry-after"],
    [["--only", ""], 'There is no fault ""', "There are: identity, resource, clock, process"],
    [["--write", "README.md"], "README.md has no marks", "written by npm run tool faults"],
    [["--write", "no-such.md"], "no-such.md has no marks", "written by"],
    [["--fast"], "--fast", "--help"],
  ])("%j is a clear error", async (args, message, hint) => {
    const { code, stdout, stderr } = await faults(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain("    at ");
  });
});

test("the catalogue has the required faults, each once", async () => {
  const { FAULTS, GROUPS, QUICK } = await part("catalogue.mjs");
  const ids = FAULTS.map(({ id }: { id: string }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThanOrEqual(34);
  expect([...new Set(FAULTS.map(({ group }: { group: string }) => group))]).toEqual(GROUPS);
  const quick = FAULTS.filter(({ id }: { id: string }) => QUICK.includes(id));
  expect(quick.length).toBe(QUICK.length);
  expect(new Set(quick.map(({ group }: { group: string }) => group))).toEqual(new Set(GROUPS));
});

test("a good error has a code, its cause and a step that does not mislead", async () => {
  const { judgeError } = await part("judge.mjs");
  const cause = [/identity/i, /\b500\b/];
  const good = {
    code: "credential/server-error",
    message: "The identity endpoint failed with HTTP 500",
    hint: "Look at it.",
  };
  expect(judgeError(good, cause)).toEqual({ code: true, cause: true, step: true });
  expect(judgeError({ ...good, code: 500 }, cause).code).toBe(false);
  expect(judgeError({ ...good, message: "The identity endpoint failed" }, cause).cause).toBe(false);
  expect(judgeError({ ...good, hint: undefined }, cause).step).toBe(false);
  expect(judgeError({ ...good, hint: "Check your COPILOT_PROVIDER_API_KEY" }, cause).step).toBe(false);
  expect(judgeError({ ...good, silent: true }, cause)).toEqual({ code: false, cause: false, step: false });
});

test("faults that need Linux are skipped elsewhere", async () => {
  const { FAULTS } = await part("catalogue.mjs");
  const { skipped } = await part("run.mjs");
  for (const platform of ["win32", "darwin"]) {
    const ids = FAULTS.filter((fault: object) => skipped(fault, platform)).map(
      ({ id }: { id: string }) => id,
    );
    expect(ids).toEqual(expect.arrayContaining(["suspend", "ctrl-c", "runtime-killed", "no-home"]));
    expect(ids).not.toContain("identity-500");
  }
});

test("one lost call of ours is a failure, whatever the others did", async () => {
  const { verdictOf } = await part("run.mjs");
  const cell = { lost: 0, alive: true, errors: [], findings: [] };
  expect(verdictOf({ agent: cell, direct: cell, bare: { ...cell, lost: 3 } }).verdict).toBe("ok");
  expect(verdictOf({ agent: { ...cell, lost: 1 }, direct: cell })).toEqual({
    verdict: "failed",
    problems: [expect.stringContaining("1 lost")],
  });
});

test("finds problems: a lost call, a dead process, a bad error, a finding", async () => {
  const { problemsOf, summaryOf } = await part("judge.mjs");
  const fine = { calls: [{ ms: 5, mustServe: true, cause: [] }], identityRequests: 1, findings: [] };
  expect(problemsOf(summaryOf(fine))).toEqual([]);
  const failed = { ms: 9, error: { message: "no" }, cause: [/why/] };
  const problems = problemsOf(
    summaryOf({
      ...fine,
      calls: [{ ...failed, mustServe: true }],
      ended: "exit code 1",
      findings: ["still running"],
    }),
  ).join("; ");
  for (const words of ["still running", "1 lost", "exit code 1", "an error without code, cause, step: no"]) {
    expect(problems).toContain(words);
  }
});
