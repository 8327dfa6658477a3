// Passes a value of each type to every option of the core. It is accepted, or an error names the
// option and its allowed types, but never the value.

import { KeylessError, planProvider, simulateRefresh } from "copilot-keyless";
import { createDirectCredential, type DirectCredentialOptions } from "copilot-keyless/direct";
import { describe, expect, test } from "vitest";

const ENDPOINT = "https://myres.openai.azure.com";

/** A value of each type, by the name of the type. */
const VALUES = {
  text: "pl4nted-text",
  number: 5,
  "not a number": Number.NaN,
  flag: true,
  list: ["pl4nted"],
  object: { pl4nted: "x" },
  function: () => "pl4nted",
  bigint: 5n,
  symbol: Symbol("pl4nted"),
  date: new Date(0),
} as const;

type Kind = keyof typeof VALUES;

/** The types that each option accepts. */
const PROVIDER: Record<string, Kind[]> = {
  endpoint: ["text"],
  model: ["text"],
  deployment: ["text"],
  scope: ["text"],
  type: [],
  wireApi: [],
  apiVersion: ["text"],
  headers: ["object", "date"],
  transport: [],
  maxContextWindowTokens: ["number", "not a number"],
  maxPromptTokens: ["number", "not a number"],
  maxOutputTokens: ["number", "not a number"],
  env: ["object", "date"],
};

const SCENARIO: Record<string, Kind[]> = {
  durationMs: ["number"],
  token: ["date"],
  latencyMs: ["number"],
  outages: [],
  calls: ["date"],
  clockSteps: [],
  suspends: [],
  invalidationsMs: [],
  keepFresh: ["flag"],
  instances: ["number"],
  startSpreadMs: ["number"],
  bucketMs: ["number"],
  policy: ["date"],
  strategy: [],
  seed: ["number"],
};

function thrown(call: () => unknown): KeylessError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(KeylessError);
    return error as KeylessError;
  }
}

describe.each([
  [
    "planProvider",
    PROVIDER,
    (options: object) => planProvider({ endpoint: ENDPOINT, env: {}, ...options }),
    "provider/conflict",
  ],
  [
    "simulateRefresh",
    SCENARIO,
    (options: object) => simulateRefresh({ durationMs: 60_000, ...options }),
    "scenario/invalid",
  ],
] as [string, Record<string, Kind[]>, (options: object) => unknown, string][])(
  "%s",
  (_name, fields, call, code) => {
    const cases = Object.entries(fields).flatMap(([field, taken]) =>
      Object.keys(VALUES).map((kind) => [field, kind, taken.includes(kind as Kind)] as const),
    );
    test.each(cases)("%s as a %s", (field, kind, taken) => {
      const error = thrown(() => call({ [field]: VALUES[kind as Kind] }));
      // A value of the right type may be out of range.
      const told = error?.message ?? "";
      const misfit = new RegExp(
        `^${field} (must be (?:a|an|one of|"(?:responses|http)"|true or false;)|holds something that must be) `,
      );
      expect(misfit.test(told) && error?.code === code, told).toBe(!taken);
      if (!taken) expect(JSON.stringify(error)).not.toContain("pl4nted");
      if (error) expect(error.hint ?? error.code).toBeTruthy();
    });

    test.each(Object.keys(fields).filter((field) => field !== "endpoint" && field !== "durationMs"))(
      "%s that is undefined counts as left out",
      (field) => {
        expect(JSON.stringify(call({ [field]: undefined }))).toBe(JSON.stringify(call({})));
      },
    );
  },
);

describe("values inside options", () => {
  test.each([
    [{ headers: { "x-a": 5 } }, "headers holds something that must be a string."],
    [{ headers: { "x-a": null } }, "headers holds something that must be a string."],
    [{ env: { A: 5 } }, "env holds something that must be a string."],
  ])("%o", (options, message) => {
    expect(thrown(() => planProvider({ endpoint: ENDPOINT, ...(options as object) }))).toMatchObject({
      message,
    });
  });

  test.each([0, -1, 1.5, 2 ** 32, Number.NaN, Infinity, -Infinity])("a limit of %d tokens", (limit) => {
    expect(thrown(() => planProvider({ endpoint: ENDPOINT, maxOutputTokens: limit }))).toMatchObject({
      code: "provider/limit",
      message: "maxOutputTokens is not a whole number from 1 to 4294967295.",
    });
  });

  test.each([-0.5, Number.NaN, Infinity, -Infinity])("a latency of %d ms", (latencyMs) => {
    expect(thrown(() => simulateRefresh({ latencyMs }))).toMatchObject({
      code: "scenario/invalid",
      message: "latencyMs must be a number from 0 to 2592000000",
    });
  });

  test("a fraction of a millisecond of a scenario is dropped", () => {
    const { durationMs } = simulateRefresh({
      durationMs: 60_000.9,
      invalidationsMs: [1.5],
      bucketMs: 1_000.5,
    });
    expect(durationMs).toBe(60_000);
  });

  test("a Map of headers, an environment with holes, a getter that throws", () => {
    const headers = new Map([["x-team", "a"]]) as unknown as Record<string, string>;
    const env = { A: undefined, B: null } as unknown as Record<string, string>;
    expect(planProvider({ endpoint: ENDPOINT, headers, env }).config.headers).toEqual({ "x-team": "a" });
    const broken = Object.defineProperty({}, "model", {
      enumerable: true,
      get: () => {
        throw new Error("pl4nted");
      },
    });
    expect(
      thrown(() =>
        simulateRefresh(
          Object.defineProperty({}, "seed", Object.getOwnPropertyDescriptor(broken, "model") ?? {}),
        ),
      ),
    ).toMatchObject({
      code: "scenario/invalid",
    });
  });

  test.each([
    [{ token: { lifetimesMs: ["5"] } }, "token holds something that must be a number."],
    [
      { outages: [{ fromMs: 0, toMs: 1, mode: "melt" }] },
      'outages holds something that must be one of "reset", "hang", "status".',
    ],
    [
      { outages: [{ fromMs: 0, toMs: 1, status: 70_000 }] },
      "outages holds something that must be a whole number from 0 to 65535.",
    ],
    [{ policy: { retryMinMs: 1.5 } }, /^policy holds something that must be a whole number/],
    [{ instances: 1.5 }, "instances must be a whole number from 0 to 4294967295; it is another number."],
    [{ instances: -1 }, /^instances must be a whole number/],
    [
      { strategy: "hope" },
      'strategy must be one of "keyless", "per-call", "fixed-window"; it is another text.',
    ],
    [{ duration: 5 }, /^The options must be an object of durationMs, token, .* and nothing else\.$/],
    [
      { token: { lifetimeMs: 5 } },
      "token must be an object of lifetimesMs, refreshAfterMs, cachedForMs and nothing else.",
    ],
    [
      { policy: { retryMin: 5 } },
      /^policy must be an object of refreshBeforeExpiryMs, .* and nothing else\.$/,
    ],
  ])("%o", (scenario, message) => {
    expect(thrown(() => simulateRefresh(scenario as object))).toMatchObject({
      code: "scenario/invalid",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });
});

test.each([
  [
    "source",
    "moon",
    /^source must be one of "app-service", "imds", .*"azure-pipelines", "sidecar"; it is another text/,
  ],
  ["clientId", 5, /^clientId must be a string; it is /],
  ["tenantId", ["x"], /^tenantId must be a string; it is /],
  ["authorityHost", true, /^authorityHost must be a string; it is /],
  ["serviceConnectionId", 5, /^serviceConnectionId must be a string; it is /],
  ["identityBinding", "yes", /^identityBinding must be true or false; it is /],
  ["sidecar", "Foundry", /^sidecar must be an object; it is /],
  ["sidecar", { service: 5 }, /^sidecar holds something that must be a string/],
  ["sidecar", { service: "Foundry", agentId: "x" }, /^sidecar .*agentIdentity.* and nothing else/],
])("the direct credential's %s", async (name, value, message) => {
  // Fails in the constructor or in the call.
  const ask = async () =>
    createDirectCredential({ env: {}, [name]: value } as DirectCredentialOptions).getToken(
      "https://ai.azure.com/.default",
    );
  await expect(ask()).rejects.toMatchObject({
    code: "credential/configuration",
    message: expect.stringMatching(message),
  });
});
