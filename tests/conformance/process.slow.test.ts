// Our provider must not crash its process or keep it alive.

import { expect, test } from "vitest";
import { reportOf, run } from "./support.js";

test("a long list of failures leaves no rejection unhandled", async () => {
  const { code, stderr, report } = await run<{ scenarios: number; codes: string[] }>(
    "failing-scenarios",
    [],
    ["--unhandled-rejections=strict"],
  );
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(report?.scenarios).toBeGreaterThan(250);
  // All failures occurred, and waiting callers received them.
  expect(report?.codes).toEqual(
    expect.arrayContaining([
      "AbortError",
      "credential/failed",
      "credential/network",
      "credential/refused",
      "credential/server-error",
      "credential/throttled",
      "credential/unavailable",
      "expiry/already-expired",
      "token/closed",
      "token/rejected-again",
      "token/timeout",
    ]),
  );
});

test("nothing of ours keeps the process alive when idle, kept fresh and refreshing too", async () => {
  const { found, refreshing, heldMs } = await reportOf<{
    found: Record<string, string[]>;
    refreshing: boolean;
    heldMs: number;
  }>("idle");
  expect(found).toEqual({
    created: [],
    fresh: [],
    "refresh failed": [],
    "refresh hanging": [],
    "cold failure": [],
    closed: [],
  });
  expect(refreshing).toBe(true);
  expect(heldMs).toBeLessThan(1_000);
});
