// When a runtime that does not answer counts as dead. tests/e2e/copilot has real ones.

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { CopilotClient } from "@github/copilot-sdk";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { livenessOf } from "../../../js/copilot/liveness.js";

/** Not faked: the process needs time of its own. */
const realTimeout = setTimeout;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A runtime whose pings never settle, unless `ping` says more. */
function runtime(ping: () => Promise<unknown> = () => new Promise(() => {}), pid?: number) {
  let pings = 0;
  const client = {
    cliProcess: { pid },
    ping: () => {
      pings += 1;
      return ping();
    },
  } as unknown as CopilotClient;
  return { liveness: livenessOf(client), client, pings: () => pings };
}

test("an answer is life, a lost connection is death, both at once", async () => {
  expect(await runtime(async () => ({})).liveness.check()).toBe(true);
  expect(await runtime(async () => Promise.reject(new Error("Connection is closed"))).liveness.check()).toBe(
    false,
  );
});

test("two pings without an answer are death; all who ask share them", async () => {
  const { liveness, client, pings } = runtime();
  const checks = [liveness.check(), livenessOf(client).check(), liveness.check()];
  await vi.advanceTimersByTimeAsync(9_999);
  expect(pings()).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(await Promise.all(checks)).toEqual([false, false, false]);
});

test("whatever the runtime sends meanwhile is life", async () => {
  const { liveness, pings } = runtime();
  const check = liveness.check();
  for (let second = 0; second < 29; second += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    if (second % 4 === 0) liveness.noteSign();
  }
  expect(pings()).toBe(6);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(await check).toBe(false);
});

test("time in which this process was held up does not count", async () => {
  const { liveness, pings } = runtime();
  const check = liveness.check();
  let dead = false;
  void check.then((alive) => {
    dead = !alive;
  });
  const now = performance.now.bind(performance);
  let heldUpMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now() + heldUpMs);
  for (let ping = 0; ping < 5; ping += 1) {
    heldUpMs += 700;
    await vi.advanceTimersByTimeAsync(5_000);
  }
  expect([dead, pings()]).toEqual([false, 6]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await check).toBe(false);
});

test("one that is silent for a minute is dead, whatever it does", async () => {
  const { liveness } = runtime();
  const check = liveness.check();
  for (let second = 0; second < 60; second += 1) {
    liveness.noteSign();
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(await check).toBe(false);
});

test.runIf(process.platform === "linux")(
  "a process that is at work is alive, one that hangs is not",
  async () => {
    const busy = spawn(process.execPath, ["-e", "console.log(); for (;;);"]);
    await once(busy.stdout, "data");
    const { liveness } = runtime(undefined, busy.pid);
    let settled = false;
    const check = liveness.check().finally(() => {
      settled = true;
    });
    for (let ping = 0; ping < 3; ping += 1) {
      await new Promise((next) => realTimeout(next, 500));
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(settled).toBe(false);
    busy.kill("SIGSTOP");
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await check).toBe(false);
    busy.kill("SIGKILL");
  },
);
