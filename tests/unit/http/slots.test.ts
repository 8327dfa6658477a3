// Retry-After of a handler with too much to do.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { KeylessError } from "../../../js/errors/keyless-error.js";
import { type Slot, Slots } from "../../../js/http/slots.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function refusal(slots: Slots): number | undefined {
  try {
    slots.take();
  } catch (error) {
    expect(error).toMatchObject({ code: "chat/overloaded", status: 503 });
    return (error as KeylessError).retryAfterMs;
  }
  throw new Error("There was room.");
}

test("a second, as long as few are refused", () => {
  const slots = new Slots({ turns: 1, turnsPerCaller: 1 });
  for (let turn = 0; turn < 20; turn += 1) {
    const { release } = slots.take();
    expect(refusal(slots)).toBe(1_000);
    release();
    vi.advanceTimersByTime(700);
  }
});

/** One reply ends each 100 ms; every caller asks again when told. Returns when each was served. */
function crowd(callers: number, seconds: number) {
  const slots = new Slots({ turns: 1, turnsPerCaller: 1 });
  let running: Slot | undefined = slots.take();
  let refusals = 0;
  const told: number[] = [];
  const waiting = Array.from({ length: callers }, (_, index) => ({ at: index }));
  for (let ms = 0; ms < seconds * 1_000; ms += 1) {
    if (ms % 100 === 0) {
      running?.release();
      running = undefined;
    }
    for (const caller of waiting.filter(({ at }) => at <= ms)) {
      if (running === undefined) {
        running = slots.take();
        waiting.splice(waiting.indexOf(caller), 1);
      } else {
        const retryMs = refusal(slots) as number;
        told.push(retryMs);
        refusals += 1;
        // As a client that spreads its retries.
        caller.at = ms + retryMs + ((refusals * 37) % 500);
      }
    }
    vi.advanceTimersByTime(1);
  }
  return { waiting: waiting.length, refusals, longest: Math.max(...told) };
}

test("a crowd is told to come when there is room, and all are served", () => {
  const { waiting, refusals, longest } = crowd(300, 60);
  expect(waiting).toBe(0);
  // With a second for all it would be 4,000.
  expect(refusals).toBeLessThan(1_500);
  expect(longest).toBeLessThanOrEqual(30_000);
  expect(longest).toBeGreaterThan(5_000);
});

test("a new crowd is not told what was true for an earlier one", () => {
  const slots = new Slots({ turns: 1, turnsPerCaller: 1 });
  for (let turn = 0; turn < 50; turn += 1) {
    const { release } = slots.take();
    vi.advanceTimersByTime(1_000);
    release();
  }
  slots.take();
  for (let n = 0; n < 100; n += 1) refusal(slots);
  expect(refusal(slots)).toBe(30_000);
  vi.advanceTimersByTime(60_000);
  expect(refusal(slots)).toBe(1_000);
});
