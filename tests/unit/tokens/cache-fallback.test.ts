import { expect, test } from "vitest";
import type { TokenCredential } from "../../../js/credentials/credential.js";
import { registerUncached } from "../../../js/credentials/uncached.js";
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
  return { fallback, time, replace, answers };
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
