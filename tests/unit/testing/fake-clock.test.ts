// copilot-keyless/testing as users have it: a clock that moves a token provider, a direct credential and the emulator.

import { createBearerTokenProvider, createFoundryProvider } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { FakeClock, withClock } from "copilot-keyless/testing";
import { expect, test } from "vitest";

const HOUR = 3_600_000;

function counting(clock: FakeClock) {
  let calls = 0;
  return {
    getToken: async () => {
      calls += 1;
      return { token: `token-${calls}`, expiresOnTimestamp: clock.now() + HOUR };
    },
  };
}

test("a token expires when the clock has moved, and only then", async () => {
  const clock = new FakeClock({ now: 1_800_000_000_000 });
  const policy = { jitterMs: 0 };
  using tokens = createBearerTokenProvider(counting(clock), "scope", withClock(clock, { policy }));
  expect(await tokens()).toBe("token-1");
  await clock.advance(HOUR / 2);
  expect(await tokens()).toBe("token-1");
  await clock.advance(HOUR);
  expect(await tokens()).toBe("token-2");
  expect(clock.now()).toBe(1_800_000_000_000 + 1.5 * HOUR);
});

test("keepFresh refreshes on the clock's timers, which keep no process alive", async () => {
  const clock = new FakeClock();
  using foundry = createFoundryProvider({
    endpoint: "myres.openai.azure.com",
    credential: counting(clock),
    env: {},
    tokens: withClock(clock, { keepFresh: true }),
  });
  expect(await foundry.tokens()).toBe("token-1");
  expect(clock.timers.size).toBe(1);
  expect(clock.activeTimers).toBe(0);
  await clock.advance(HOUR);
  expect(await foundry.tokens()).toBe("token-2");
});

test("the emulator and the direct credential share the clock", async () => {
  const clock = new FakeClock({ now: 1_900_000_000_000 });
  await using emulator = await startEmulator({ clock, tokenLifetimeSeconds: 600 });
  const credential = createDirectCredential(withClock(clock, { env: emulator.env }));
  const token = await credential.getToken("https://ai.azure.com/.default");
  expect(token?.expiresOnTimestamp).toBe(1_900_000_600_000);
});

test("a suspended machine and a wall clock that is set", async () => {
  const clock = new FakeClock();
  const [wall, monotonic] = [clock.now(), clock.monotonic()];
  clock.suspend(HOUR);
  clock.set(-2 * HOUR);
  expect([clock.now() - wall, clock.monotonic() - monotonic]).toEqual([-HOUR, 0]);
  const fired: string[] = [];
  clock.setTimeout(() => fired.push("second"), 20);
  clock.setTimeout(() => fired.push("first"), 10);
  clock.clearTimeout(clock.setTimeout(() => fired.push("cancelled"), 5));
  await clock.advance(15);
  expect(fired).toEqual(["first"]);
  await clock.advance(5);
  expect(fired).toEqual(["first", "second"]);
});
