import { runInNewContext } from "node:vm";
import { isKeylessError, KeylessError } from "copilot-keyless/core";
import { expect, expectTypeOf, test, vi } from "vitest";
import { RETRYABLE } from "../../../js/errors/retryable.js";

test("an outage is retryable, a mistake is not, and a caller may know better", () => {
  expect(new KeylessError("credential/server-error", "m").retryable).toBe(true);
  expect(new KeylessError("endpoint/empty", "m").retryable).toBe(false);
  expect(new KeylessError("model/rate-limited", "m", { retryable: false }).retryable).toBe(false);
  expect(RETRYABLE).toContain("model/first-byte-timeout");
});

test("isKeylessError narrows to the codes that it is asked for", () => {
  const error: unknown = new KeylessError("token/timeout", "m");
  expect(isKeylessError(error)).toBe(true);
  expect(isKeylessError(error, "token/closed")).toBe(false);
  if (!isKeylessError(error, "token/timeout", "credential/network")) throw error;
  expectTypeOf(error.code).toEqualTypeOf<"token/timeout" | "credential/network">();
  for (const other of [undefined, null, "token/timeout", new Error("m"), { code: "token/timeout" }])
    expect(isKeylessError(other)).toBe(false);
});

test("isKeylessError recognises the errors of another copy and of another realm", async () => {
  vi.resetModules();
  const copy = await import("../../../js/errors/keyless-error.js");
  const foreign = new copy.KeylessError("token/closed", "m");
  expect(foreign).not.toBeInstanceOf(KeylessError);
  expect(isKeylessError(foreign, "token/closed")).toBe(true);
  const ofRealm = runInNewContext(
    "Object.assign(new Error('m'), { code: 'token/closed', [Symbol.for('copilot-keyless.error')]: true })",
  );
  expect(ofRealm).not.toBeInstanceOf(Error);
  expect(isKeylessError(ofRealm, "token/closed")).toBe(true);
});
