// Compares this package with faults of getBearerTokenProvider in @azure/identity 4.13
// (core-rest-pipeline 1.24). Each row runs one program with both. When a test of the peer fails,
// the peer has fixed its fault.

import { describe, expect, test } from "vitest";
import { AZURE_PROVIDER, OURS, reportOf, run } from "./support.js";

describe.concurrent("the token expires in an outage, without calls", () => {
  const program = "outage-at-expiry";

  test("ours: the process survives, and the next call gets a token", async () => {
    expect(await reportOf(program, OURS)).toEqual({ inUse: "token-1", afterwards: { token: "token-2" } });
  });

  test("getBearerTokenProvider: an unhandled rejection, the process exits with code 1", async () => {
    const { code, stderr, report } = await run(program, [AZURE_PROVIDER]);
    expect({ code, report }).toEqual({ code: 1, report: undefined });
    expect(stderr).toContain("ECONNREFUSED");
  });
});

interface LongOutage {
  calls: number;
  failed: number;
  attempts: number;
  first: { token?: string };
}

describe.concurrent("an outage of 12 h from half the lifetime of a 24 h token, a call every 15 s", () => {
  test.each([
    ["ours: at most 200 attempts", OURS, 100, 200],
    ["getBearerTokenProvider: about 14,400 attempts, one every 3 s", AZURE_PROVIDER, 14_300, 14_410],
  ])(
    "%s; no call fails while the token is good, the first one after the outage succeeds",
    async (_name, system, least, most) => {
      const { calls, failed, attempts, first } = await reportOf<LongOutage>("long-outage", system);
      expect({ calls, failed, first }).toEqual({ calls: 2_880, failed: 0, first: { token: "token-2" } });
      expect(attempts).toBeGreaterThanOrEqual(least);
      expect(attempts).toBeLessThanOrEqual(most);
    },
  );
});

interface Idle {
  token: string;
  holding: number;
  heldMs: number;
}

describe.concurrent("the program ends while a failed refresh is to be tried again", () => {
  test("ours: no timer keeps the process alive, it ends at once", async () => {
    const { token, holding, heldMs } = await reportOf<Idle>("idle-refresh", OURS);
    expect({ token, holding }).toEqual({ token: "token-1", holding: 0 });
    expect(heldMs).toBeLessThan(1_000);
  });

  test("getBearerTokenProvider: a timer keeps the process alive for 3 s", async () => {
    const { token, holding, heldMs } = await reportOf<Idle>("idle-refresh", AZURE_PROVIDER);
    expect({ token, holding }).toEqual({ token: "token-1", holding: 1 });
    expect(heldMs).toBeGreaterThan(2_000);
  });
});

describe.concurrent("a credential that never answers", () => {
  test("ours: all callers get an error after 15 s, and the next call succeeds", async () => {
    const told = { error: "token/timeout", message: expect.any(String), afterMs: 15_000 };
    expect(await reportOf("hung-credential", OURS)).toEqual({
      ended: [told, told, told],
      afterwards: { token: "token-1" },
    });
  });

  test("getBearerTokenProvider: all callers still wait after a day, and so does the next one", async () => {
    const waiting = { error: "still waiting" };
    expect(await reportOf("hung-credential", AZURE_PROVIDER)).toEqual({
      ended: [waiting, waiting, waiting],
      afterwards: waiting,
    });
  });
});

describe.concurrent("the resource rejects a token of one hour in its first minute", () => {
  test("ours: after invalidate(), the next call gets another token", async () => {
    expect(await reportOf("rejected-token", OURS)).toEqual({ told: true, canBeTold: true, minutes: 0 });
  });

  test("getBearerTokenProvider: has no invalidate(), and returns the token for nearly an hour", async () => {
    const report = await reportOf<{ told: boolean; canBeTold: boolean; minutes: number }>(
      "rejected-token",
      AZURE_PROVIDER,
    );
    expect(report).toMatchObject({ told: false, canBeTold: false });
    expect(report.minutes).toBeGreaterThanOrEqual(58);
  });
});

interface SetBack {
  calls: number;
  dead: number;
  failed: number;
  errors: string[];
}

describe.concurrent("the wall clock is set back by 2 h, a call every minute for 3 h", () => {
  test("ours: no call gets a token that has expired, and none fails", async () => {
    expect(await reportOf<SetBack>("clock-set-back", OURS)).toMatchObject({ calls: 180, dead: 0, failed: 0 });
  });

  // The credential has no other token until its cache expires.
  test("ours, over a credential with a cache that goes by the wall clock: no expired token, but an error that says so", async () => {
    expect(await reportOf<SetBack>("clock-set-back", OURS, "caching")).toMatchObject({
      dead: 0,
      errors: ["token/not-renewed"],
    });
  });

  test("getBearerTokenProvider: for 2 h, each call gets a token that has expired", async () => {
    const { calls, dead, failed } = await reportOf<SetBack>("clock-set-back", AZURE_PROVIDER);
    expect({ calls, failed }).toEqual({ calls: 180, failed: 0 });
    expect(dead).toBeGreaterThanOrEqual(115);
  });
});
