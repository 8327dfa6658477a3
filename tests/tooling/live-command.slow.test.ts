// Tests the command `npm run live`: what it says first, what it prints, and how it stops.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { budget, CHECKS, differing, type Report, verdictOf } from "../support/live.js";
import { root, run } from "../support/process.js";

/** This process's environment without Azure's variables. */
const environment = (env: Record<string, string> = {}) => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(AZURE|FOUNDRY|IDENTITY|IMDS|MSI|OPENAI|NO_COLOR)/.test(name),
    ),
  ),
  ...env,
});

const live = (args: string[], env?: Record<string, string>) =>
  run(process.execPath, [join(root, "scripts/live.mjs"), ...args], {
    env: environment(env) as Record<string, string>,
  });

test("the command says what to set, and what it sends and costs before it asks", async () => {
  const unset = await live(["--yes"]);
  expect(unset.code).toBe(1);
  expect(unset.stderr).toContain("Set FOUNDRY_RESOURCE_URL");
  expect(unset.stderr).toContain("--emulator");

  const asked = await live([], { FOUNDRY_RESOURCE_URL: "https://contoso.openai.azure.com" });
  expect(asked.code).toBe(1);
  const { requests, outputTokens } = budget();
  expect(asked.stderr.replaceAll(/\s+/g, " ")).toContain(
    `at most ${requests} short requests to your resource`,
  );
  expect(asked.stderr.replaceAll(/\s+/g, " ")).toContain(`at most ${outputTokens} tokens`);
  expect(asked.stderr).toContain("Add --yes");

  const elsewhere = await live(["--yes"], { FOUNDRY_RESOURCE_URL: "https://gw.contoso.example/v1" });
  expect(elsewhere.stderr).toContain("live/endpoint");
});

test("the command prints JSON without colours, and writes the report", async () => {
  const { code, stdout } = await live(["--emulator", "--json"], { FORCE_COLOR: "1" });
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as Report;
  expect(report.results).toHaveLength(CHECKS.length);
  expect(verdictOf(report, "expiry of the credential")?.seen).toContain("credential managed-identity");
  expect(differing(report)).toEqual([]);
  expect(stdout).not.toContain("\u001b");
  expect(readFileSync(join(root, "target/live-report.md"), "utf8")).toContain("# Live report");
});

test.skipIf(process.platform === "win32")("Ctrl-C ends the command with 130", async () => {
  const child = spawn(process.execPath, [join(root, "scripts/live.mjs"), "--emulator"], {
    cwd: root,
    env: environment(),
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    // A second one would end it the hard way.
    if (!child.killed && stderr.includes("… 1/")) child.kill("SIGINT");
  });
  child.stdout.resume();
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).toBe(130);
  expect(stderr).toContain("Interrupted");
});
