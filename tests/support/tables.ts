// Defines the tests of the tables that every host of the core must pass. Each host passes its own
// implementation.

import { inspect } from "node:util";
import {
  type AccessToken,
  type Diagnosis,
  type Endpoint,
  type FailedRequest,
  type FoundryProviderOptions,
  KeylessError,
  type ProviderPlan,
} from "copilot-keyless";
import { describe, expect, test } from "vitest";
import type { Decision, FlightStart, Outcome } from "../../js/wasm/modules/core.js";
import credentials from "../tables/credentials.json" with { type: "json" };
import diagnoses from "../tables/diagnoses.json" with { type: "json" };
import endpoints from "../tables/endpoints.json" with { type: "json" };
import expiries from "../tables/expiry.json" with { type: "json" };
import providers from "../tables/providers.json" with { type: "json" };
import schedules from "../tables/schedule.json" with { type: "json" };

type Fields = Record<string, unknown>;
type Row = { name?: string; expect?: Fields; error?: string };
type EndpointOptions = { type?: "openai" | "azure" | "anthropic"; apiVersion?: string; scope?: string };

/** Returns the error of a call, which must be a KeylessError. */
export function thrown(call: () => unknown): KeylessError {
  try {
    call();
  } catch (error) {
    if (error instanceof KeylessError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

/** Selects fields of a result: null for an absent one, the codes for warnings. */
function fieldsOf(found: object, expected: Fields): Fields {
  const all: Fields = { ...found };
  if (Array.isArray(all.warnings)) all.warnings = all.warnings.map((notice) => notice.code);
  return Object.fromEntries(Object.keys(expected).map((name) => [name, all[name] ?? null]));
}

export function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

export function expiryTable(
  parse: (
    response: string | object,
    at: { requestedAt: number; utcOffsetMinutes: number | undefined },
  ) => AccessToken,
): void {
  const rows = expiries as (Row & {
    response: string | object;
    requestedAt: number;
    utcOffsetMinutes?: number;
  })[];

  describe("expiry.json", () => {
    test.each(rows)("$name", ({ response, requestedAt, utcOffsetMinutes, expect: expected, error }) => {
      const forms = typeof response === "string" ? [response] : [response, JSON.stringify(response)];
      for (const form of forms) {
        const call = () => parse(form, { requestedAt, utcOffsetMinutes });
        if (expected) {
          const { token, ...times } = call();
          expect(times).toEqual(expected);
          expect(token).toBeTruthy();
        } else {
          const found = thrown(call);
          expect(found.code).toBe(error);
          expect(inspect(found)).not.toContain("opaque-token");
        }
      }
    });
  });
}

export function endpointTable(parse: (input: string, options?: EndpointOptions) => Endpoint): void {
  const rows = endpoints as (Row & { input: string; options?: EndpointOptions })[];

  describe("endpoints.json", () => {
    test.each(rows.map((row, index) => ({ title: row.name ?? `${row.input} (${index})`, ...row })))(
      "$title",
      (row) => {
        const call = () => parse(row.input, row.options);
        if (row.expect) {
          expect(fieldsOf(call(), row.expect)).toEqual(row.expect);
        } else {
          const error = thrown(call);
          expect(error.code).toBe(row.error);
          expect(error.hint).toBeTruthy();
        }
      },
    );
  });
}

/** `plan` may also check the plan itself. `lacking`: options that it does not take. */
export function providerTable(
  plan: (request: FoundryProviderOptions) => Omit<ProviderPlan, "config"> & { config: object },
  lacking: readonly (keyof FoundryProviderOptions)[] = [],
): void {
  const all = providers as unknown as (Row & { request: FoundryProviderOptions })[];
  const rows = all.filter(({ request }) => lacking.every((name) => request[name] === undefined));

  describe("providers.json", () => {
    test.each(rows)("$name", ({ request, expect: expected, error }) => {
      const call = () => plan({ ...request, env: request.env ?? {} });
      if (expected === undefined) {
        const found = thrown(call);
        expect(found.code).toBe(error);
        expect(found.hint).toBeTruthy();
      } else {
        expect(fieldsOf(call(), expected)).toEqual(expected);
      }
    });
  });
}

export function credentialTable(
  plan: (request: FoundryProviderOptions) => Pick<ProviderPlan, "credential" | "warnings">,
): void {
  const rows = credentials as unknown as (Row & {
    cloud?: string;
    env: NodeJS.ProcessEnv;
    says?: string[];
  })[];
  const endpointIn: Record<string, string> = {
    public: "https://myres.openai.azure.com",
    usgov: "https://myres.openai.azure.us",
    china: "https://myres.openai.azure.cn",
    unknown: "https://llm.contoso.com/v1",
  };

  describe("credentials.json", () => {
    test.each(rows)("$name", ({ cloud = "public", env, expect: expected, error, says = [] }) => {
      const endpoint = endpointIn[cloud] as string;
      const call = () => plan({ endpoint, scope: "https://ai.azure.com/.default", env });
      if (expected === undefined) {
        const found = thrown(call);
        expect(found.code).toBe(error);
        for (const part of says) expect(`${found.message} ${found.hint}`).toContain(part);
        expect(inspect(found)).not.toContain("pl4nted");
        return;
      }
      const { credential, warnings } = call();
      expect(fieldsOf(credential, expected)).toEqual(expected);
      expect(JSON.stringify([credential, warnings])).not.toContain("pl4nted");
      // Warnings about the credential belong to its own plan.
      const codes = warnings.map(({ code }) => code);
      expect(credential.warnings.filter(({ code }) => codes.includes(code))).toEqual([]);
    });
  });
}

/** `lacking`: fields that `diagnose` does not take. */
export function diagnosisTable(
  diagnose: (failure: FailedRequest & { endpoint?: string; options?: EndpointOptions }) => Diagnosis,
  lacking: readonly (keyof FailedRequest)[] = [],
): void {
  const all = diagnoses as unknown as {
    name: string;
    failure: FailedRequest & { endpoint?: string; options?: EndpointOptions };
    claims?: object;
    code: string;
    cause?: string[];
    fixes?: string[];
    unsaid?: string;
    without?: string;
  }[];

  const rows = all.filter(({ failure }) => lacking.every((name) => failure[name] === undefined));

  describe("diagnoses.json", () => {
    test.each(rows)("$name", ({ failure, claims, ...row }) => {
      const { name: _name, cause = [], fixes = [], unsaid, without, ...fields } = row;
      const diagnosis = diagnose({ ...failure, ...(claims ? { token: jwt(claims) } : {}) });
      for (const [field, expected] of Object.entries(fields))
        expect(diagnosis[field as keyof Diagnosis] ?? null, field).toEqual(expected);
      for (const text of cause) expect(diagnosis.cause).toContain(text);
      for (const text of fixes) expect(diagnosis.fixes.join("\n")).toContain(text);
      if (unsaid) expect(`${diagnosis.cause}${diagnosis.fixes.join("\n")}`).not.toContain(unsaid);
      if (without) expect(inspect(diagnosis, { depth: 9 })).not.toContain(without);
    });
  });
}

export interface Now {
  wall: number;
  mono: number;
}

/** The schedule's interface that the tests use, in any host. */
export interface ScheduleHost {
  request(now: Now): Decision;
  refresh(now: Now): Decision;
  wake(now: Now): FlightStart | undefined;
  nextWake(now: Now): number | undefined;
  acquired(
    flight: number,
    answer: { requested: Now; expiresOn: number; refreshAfter: number | undefined },
    now: Now,
    random: number,
  ): Outcome;
  failed(
    flight: number,
    failure: { status: number | undefined; unavailable: boolean; retryAfterMs: number | undefined },
    now: Now,
    random: number,
  ): Outcome;
  timedOut(flight: number, now: Now, random: number): Outcome;
  rejectedAgain(flight: number, now: Now, random: number): Outcome;
  invalidate(now: Now): boolean;
  challenged(now: Now): boolean;
  close(): void;
  status(now: Now): object;
}

interface Step {
  do: keyof ScheduleHost;
  at: number;
  mono?: number;
  flight?: number;
  requestedAt?: number;
  expiresAt?: number;
  expiresOn?: number;
  refreshAt?: number;
  status?: number;
  unavailable?: boolean;
  retryAfterMs?: number;
  random?: number;
  expect?: unknown;
}

const WALL = 1_700_000_000_000;
const MONO = 5_000;
/** Fields with times; in the table they count from the start. */
const STARTS: Record<string, number> = {
  untilWall: WALL,
  expiresOn: WALL,
  refreshOn: WALL,
  nextAttemptOn: WALL,
  untilMono: MONO,
};

const since = (wall: number, mono = wall): Now => ({ wall: WALL + wall, mono: MONO + mono });

/** Runs a step, which tests/core/schedule/table.rs documents. */
function play(schedule: ScheduleHost, step: Step): unknown {
  const now = since(step.at, step.mono);
  const { flight = 0, random = 0, requestedAt = 0, expiresAt = 0, refreshAt } = step;
  switch (step.do) {
    case "acquired": {
      const expiresOn = step.expiresOn ?? WALL + expiresAt;
      const refreshAfter = refreshAt === undefined ? undefined : WALL + refreshAt;
      return schedule.acquired(
        flight,
        { requested: since(requestedAt), expiresOn, refreshAfter },
        now,
        random,
      );
    }
    case "failed": {
      const { status, unavailable = false, retryAfterMs } = step;
      return schedule.failed(flight, { status, unavailable, retryAfterMs }, now, random);
    }
    case "timedOut":
    case "rejectedAgain":
      return schedule[step.do](flight, now, random);
    case "close":
      return schedule.close();
    default:
      return schedule[step.do](now);
  }
}

/** Selects the expected fields of a result, in the form of the table. */
function asExpected(actual: unknown, expected: unknown): unknown {
  if (typeof expected !== "object" || expected === null || typeof actual !== "object" || actual === null)
    return actual ?? null;
  const fields = Object.entries(expected).map(([name, inner]) => {
    const found = (actual as Fields)[name];
    return [name, typeof found === "number" ? found - (STARTS[name] ?? 0) : asExpected(found, inner)];
  });
  return Object.fromEntries(fields);
}

export function scheduleTable(create: (policy: Record<string, number>) => ScheduleHost): void {
  const rows = schedules as unknown as (Row & { policy?: Record<string, number>; steps?: Step[] })[];

  describe("schedule.json", () => {
    test.each(rows)("$name", ({ policy = {}, error, steps = [] }) => {
      if (error !== undefined) {
        expect(thrown(() => create(policy)).code).toBe(error);
        return;
      }
      const schedule = create(policy);
      for (const step of steps) {
        const actual = play(schedule, step);
        if ("expect" in step)
          expect(asExpected(actual, step.expect), JSON.stringify(step)).toEqual(step.expect);
      }
      expect(steps.some((step) => "expect" in step)).toBe(true);
    });
  });
}
