// Tests the component: its imports, its size, and the tables through jco.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { componentWit } from "@bytecodealliance/jco-transpile/wasm-tools";
import { KeylessError, simulateRefresh } from "copilot-keyless";
import { describe, expect, test } from "vitest";
import { root } from "../support/process.js";
import {
  credentialTable,
  diagnosisTable,
  endpointTable,
  expiryTable,
  providerTable,
  scheduleTable,
} from "../support/tables.js";
import { ComponentCore, path, plain, transpiled } from "./component.js";

const interfaces = await transpiled();
const core = new ComponentCore(interfaces);

describe("the component", () => {
  test("imports nothing and exports every interface of the WIT file", async () => {
    const wit = await componentWit(readFileSync(path));
    expect(wit).not.toMatch(/^\s*import /m);
    const source = readFileSync(join(root, "wit/copilot-keyless.wit"), "utf8");
    const [, version] = /^package copilot-keyless:core@([\d.]+);/m.exec(source) ?? [];
    const names = [...source.matchAll(/^interface ([\w-]+) \{/gm)].map(([, name]) => name);
    expect(names).toHaveLength(7);
    for (const name of names)
      expect(wit).toMatch(new RegExp(`^\\s*export copilot-keyless:core/${name}@${version};`, "m"));
  });

  test("weighs no more than the modules for JavaScript, and holds nothing of the machine that built it", () => {
    const sizeOf = (name: string) => statSync(join(root, `target/wasm/${name}/${name}_bg.wasm`)).size;
    const modules = ["core", "plan", "explain", "simulate"].map(sizeOf).reduce((sum, one) => sum + one);
    const { size } = statSync(path);
    console.log(`component: ${size} bytes, ${(size / modules).toFixed(2)} of the ${modules} of the modules`);
    // What each of the modules has, it has once.
    expect(size).toBeLessThan(0.55 * modules);
    const text = readFileSync(path, "latin1");
    expect(text).not.toMatch(/\/(?:root|home|Users|tmp|work)\/|[A-Z]:\\|\.cargo/);
    expect(text).not.toContain(root);
  });
});

expiryTable((response, at) => core.parseTokenResponse(response, at));
endpointTable((input, options) => core.parseEndpoint(input, options));
// docs/reference/component.md says what the component lacks.
providerTable((request) => core.planProvider(request), ["transport", "maxContextWindowTokens"]);
credentialTable((request) => core.planProvider(request));
diagnosisTable((failure) => core.diagnose(failure), ["env"]);

test("every failed credential of the table", () => {
  const rows = JSON.parse(readFileSync(join(root, "tests/tables/credential-failures.json"), "utf8"));
  for (const { id, message, status, body, code } of rows)
    expect(core.diagnoseCredential({ error: message, status, body }).code, id).toBe(code);
});
scheduleTable((policy) => core.createSchedule(policy));

describe("simulateRefresh", () => {
  const HOUR = 3_600_000n;
  const scenario = {
    durationMs: 24n * HOUR,
    token: { lifetimesMs: [24n * HOUR] },
    outages: [{ fromMs: 12n * HOUR, toMs: 24n * HOUR, mode: "status", retryAfterMs: 1_000n }],
    calls: { atMs: [5n] },
    clockSteps: [{ atMs: HOUR, byMs: -HOUR }],
    suspends: [{ fromMs: 2n * HOUR, toMs: 3n * HOUR }],
    invalidationsMs: [4n * HOUR],
    keepFresh: true,
    instances: 3,
    policy: { jitterMs: 0n },
    seed: 7,
  };

  test("gives the timeline that JavaScript gets", () => {
    const timeline = plain(interfaces.simulate.simulateRefresh(scenario));
    expect(timeline).toEqual(plain(simulateRefresh(plain(scenario))));
  });

  test("refuses what JavaScript refuses", () => {
    const wrong = { ...scenario, durationMs: 0n };
    expect(() => simulateRefresh(plain(wrong))).toThrow(KeylessError);
    expect(() => interfaces.simulate.simulateRefresh(wrong)).toThrow(
      expect.objectContaining({ code: "scenario/invalid" }),
    );
  });
});
