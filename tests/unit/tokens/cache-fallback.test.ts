import { expect, test } from "vitest";
import type { TokenCredential } from "../../../js/credentials/credential.js";
import { registerUncached } from "../../../js/credentials/uncached.js";
import { KeylessError } from "../../../js/errors/keyless-error.js";
import { systemClock } from "../../../js/platform/clock.js";
import { CacheFallback } from "../../../js/tokens/cache-fallback.js";

const CACHED = { token: "cached", expiresOnTimestamp: 1 };

/** A fallback whose uncached credential gives the next of `answers`, on a clock that is set by hand. */
function setUp(...answers: (string | Error)[]) {
  const credential: TokenCredential = { getToken: async () => CACHED };
  const uncached: TokenCredential = {
    getToken: async () => {
      const answer = answers.shift();
      if (typeof answer !== "string") throw answer;
      return { token: answer, expiresOnTimestamp: 2 };
    },
  };
  registerUncached(credential, { credential: uncached, onFailure: uncached });
  const time = { now: 0 };
  const fallback = new CacheFallback(credential, { ...systemClock, monotonic: () => time.now });
  const replace = async (signal = new AbortController().signal) =>
    (await fallback.replace(CACHED, async (from) => (await from.getToken("s")) as typeof CACHED, signal))
      .token;
  const takeOver = async (thrown: unknown, signal = new AbortController().signal) =>
    (await fallback.takeOver(thrown, async (from) => (await from.getToken("s")) as typeof CACHED, signal))
      .token;
  return { fallback, time, replace, takeOver, answers };
}

test("another token replaces the unusable one", async () => {
  const { replace } = setUp("new", "newer");
  expect([await replace(), await replace()]).toEqual(["new", "newer"]);
});

test.each([
  ["the same token", "cached"],
  ["another rejected token", "rejected"],
  ["an error", new Error("no")],
])("after %s the unusable token counts, and nobody asks for 10 s", async (_name, answer) => {
  const { fallback, time, replace, answers } = setUp(answer, "new");
  fallback.markRejected("rejected");
  expect(await replace()).toBe("cached");
  time.now = 9_999;
  expect(await replace()).toBe("cached");
  expect(answers).toEqual(["new"]);
  time.now = 10_000;
  expect(await replace()).toBe("new");
});

test("an aborted attempt is followed by no pause", async () => {
  const { replace } = setUp(new Error("aborted"), "new");
  expect(await replace(AbortSignal.abort())).toBe("cached");
  expect(await replace()).toBe("new");
});

test("a credential without an uncached one is left alone", async () => {
  const fallback = new CacheFallback({ getToken: async () => CACHED }, systemClock);
  const never = () => Promise.reject(new Error("asked"));
  expect(await fallback.replace(CACHED, never, new AbortController().signal)).toBe(CACHED);
});

test("tokens are rejected until cleared", () => {
  const { fallback } = setUp();
  fallback.markRejected("tökén");
  expect([fallback.isRejected("tökén"), fallback.isRejected("token")]).toEqual([true, false]);
  fallback.clear();
  expect(fallback.isRejected("tökén")).toBe(false);
});

/** As `@azure/identity` throws it. */
const failure = (statusCode?: number) =>
  Object.assign(new Error("ManagedIdentityCredential failed"), { statusCode });

test.each([
  ["no status", failure()],
  ["500", failure(500)],
  ["a token that is none", new KeylessError("token/empty", "The credential returned no token")],
])("the direct credential takes over after %s", async (_name, thrown) => {
  const { takeOver } = setUp("new");
  expect(await takeOver(thrown)).toBe("new");
});

test.each([
  ["a refusal", failure(400)],
  ["throttling", failure(429)],
  ["an error of ours", new KeylessError("credential/not-installed", "@azure/identity is not installed")],
])("but not after %s", async (_name, thrown) => {
  const { takeOver, answers } = setUp("new");
  await expect(takeOver(thrown)).rejects.toBe(thrown);
  expect(answers).toEqual(["new"]);
});

test("nor after the deadline, nor for a credential that must not be replaced", async () => {
  const { takeOver, answers } = setUp("new");
  const thrown = failure();
  await expect(takeOver(thrown, AbortSignal.abort())).rejects.toBe(thrown);
  expect(answers).toEqual(["new"]);
  const other: TokenCredential = { getToken: async () => CACHED };
  registerUncached(other, { credential: other });
  const fallback = new CacheFallback(other, systemClock);
  const getToken = async () => CACHED;
  await expect(fallback.takeOver(thrown, getToken, new AbortController().signal)).rejects.toBe(thrown);
});

test.each([
  ["fails, too", new Error("no")],
  ["returns a rejected token", "rejected"],
])("if it %s, the first error counts, and nobody asks for 10 s", async (_name, answer) => {
  const { fallback, time, takeOver, answers } = setUp(answer, "new");
  fallback.markRejected("rejected");
  const thrown = failure();
  await expect(takeOver(thrown)).rejects.toBe(thrown);
  time.now = 9_999;
  await expect(takeOver(thrown)).rejects.toBe(thrown);
  expect(answers).toEqual(["new"]);
  time.now = 10_000;
  expect(await takeOver(thrown)).toBe("new");
});
