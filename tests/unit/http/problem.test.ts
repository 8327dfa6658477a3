import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ErrorCode } from "../../../js/errors/codes.js";
import { KeylessError } from "../../../js/errors/keyless-error.js";
import { chatError, closing, problem } from "../../../js/http/problem.js";
import { coreModule } from "../../../js/wasm/bindings.js";

const statusOf = (code: ErrorCode) => problem(new KeylessError(code, "secret role"), "id", false).status;

test.each<[ErrorCode, number]>([
  ["credential/network", 503],
  ["endpoint/empty", 500],
  ["model/rate-limited", 503],
  ["model/content-filter", 422],
  ["model/missing-role", 502],
  ["model/request-failed", 502],
  ["agent/timeout", 504],
  ["sdk/runtime-ended", 503],
  ["chat/authorize-timeout", 504],
  ["chat/caller-failed", 500],
  ["emulator/closed", 500],
  ["chat/unexpected", 500],
])("%s has the status %i", (code, status) => {
  expect(statusOf(code)).toBe(status);
});

test("callers get a message without the app's details for every code of the core", () => {
  const table = new URL("../../tables/codes.json", import.meta.url);
  const { errors, diagnoses } = JSON.parse(readFileSync(table, "utf8")) as Record<string, string[]>;
  for (const code of [...(errors ?? []), ...(diagnoses ?? []).map((name) => `model/${name}`)]) {
    const { status, body } = problem(new KeylessError(code as ErrorCode, "secret role"), "id", false);
    expect(status, code).toBeGreaterThanOrEqual(422);
    expect(JSON.stringify(body), code).not.toContain("secret");
    const unexpected = code === "scenario/invalid";
    expect(body.detail === "An unexpected error occurred.", code).toBe(unexpected);
  }
});

test("an error with a status of its own passes on its message", () => {
  const { status, body } = problem(chatError("chat/not-json", 400, "No JSON", "Send it."), "id", false);
  expect([status, body.detail, body.hint]).toEqual([400, "No JSON", "Send it."]);
});

test("the body says whether a retry may help, and when", () => {
  const bodyOf = (code: ErrorCode, details?: object) =>
    problem(new KeylessError(code, "m", details), "id", false).body;
  const wait = { retryAfter: 2, retryAfterMs: 1_500 };
  expect(bodyOf("model/rate-limited", { retryAfterMs: 1_500 })).toMatchObject({ retryable: true, ...wait });
  expect(bodyOf("credential/network")).toMatchObject({ retryable: true, retryAfterMs: 5_000 });
  expect(bodyOf("model/missing-role")).toMatchObject({ retryable: false });
  expect(bodyOf("model/missing-role")).not.toHaveProperty("retryAfterMs");
  expect(problem(closing(), "id", false).body).toMatchObject({ retryable: true, retryAfter: 5 });
});

test("a pause that a credential asks for is told up to the longest that counts", () => {
  const wait = (code: ErrorCode, retryAfterMs?: number) =>
    problem(new KeylessError(code, "m", { retryAfterMs }), "id", false).headers["retry-after"];
  expect(coreModule().maxRetryAfterMs()).toBe(120_000);
  expect(wait("credential/throttled", 3_600_000)).toBe("120");
  expect(wait("credential/throttled", 7_001)).toBe("8");
  expect(wait("model/rate-limited", 3_600_000)).toBe("3600");
  expect(wait("model/rate-limited")).toBe("5");
  expect(wait("model/network")).toBeUndefined();
});
