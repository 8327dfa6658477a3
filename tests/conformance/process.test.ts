// What our provider must never do to the process it runs in.

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
  // They did fail, each in its own way, and told the callers who waited.
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
