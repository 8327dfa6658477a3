// Compares the openai client's own workload identity (openai 6) with the same client and our
// provider.

import { describe, expect, test } from "vitest";
import { OURS, reportOf, run } from "./support.js";

const PEER = "openai-node";

describe.concurrent("tokens of 15 minutes, ten requests", () => {
  test("ours: one exchange", async () => {
    expect(await reportOf("workload-identity", OURS, "healthy")).toEqual({ exchanges: 1 });
  });

  test("openai-node: due for 20 minutes before its expiry, each request exchanges a new token", async () => {
    expect(await reportOf("workload-identity", PEER, "healthy")).toEqual({ exchanges: 10 });
  });
});

describe.concurrent("the exchange is away while the token is due, ten requests", () => {
  test("ours: one attempt, and no unhandled rejection", async () => {
    expect(await reportOf("workload-identity", OURS, "outage")).toEqual({ exchanges: 1 });
    expect(await reportOf("workload-identity", OURS, "outage-survived")).toEqual({
      exchanges: 1,
      unhandled: 0,
    });
  });

  test("openai-node: an unhandled rejection, the process exits with code 1", async () => {
    const { code, stderr, report } = await run("workload-identity", [PEER, "outage"]);
    expect({ code, report }).toEqual({ code: 1, report: undefined });
    expect(stderr).toContain("temporarily_unavailable");
  });

  test("openai-node, where the program survives that: an attempt and a rejection per request, no backoff", async () => {
    expect(await reportOf("workload-identity", PEER, "outage-survived")).toEqual({
      exchanges: 10,
      unhandled: 10,
    });
  });
});
