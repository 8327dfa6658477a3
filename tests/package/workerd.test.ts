// Tests behaviour specific to workerd: requests share a token, and pending work ends with its
// request.

import { startEmulator } from "copilot-keyless/emulator";
import { expect, test } from "vitest";
import { startWorker } from "../runtimes/workerd.js";
import { installed } from "./support.js";

const folder = installed();

test("a refresh outlives the request that began it, and requests share it", async () => {
  await using emulator = await startEmulator({ chunkDelayMs: 0, tokenLifetimeSeconds: 8 });
  const worker = await startWorker(folder, "edge-worker", emulator.env);
  const ask = async (prompt: string) => {
    const body = JSON.stringify({ prompt });
    const headers = { "content-type": "application/json" };
    const started = Date.now();
    const response = await fetch(worker.address, { method: "POST", headers, body });
    expect(await response.text()).toContain(prompt);
    return Date.now() - started;
  };
  try {
    // The identity endpoint responds long after the model requests are done.
    emulator.faults.add({
      server: "identity",
      kind: "delay",
      delayMs: 1_000,
      times: Number.POSITIVE_INFINITY,
    });
    await Promise.all(["one", "two", "three"].map(ask));
    expect(emulator.counts.identity).toBe(1);
    // The refresh is due, but the token is still good: it runs in the background.
    await expect.poll(() => ask("again").then(() => emulator.counts.identity), { interval: 300 }).toBe(2);
    await expect
      .poll(() => emulator.requests.filter(({ server, status }) => server === "identity" && status).length)
      .toBe(2);
    expect(emulator.requests.filter(({ aborted }) => aborted)).toEqual([]);
    // After the first token has expired, callers get the new one without waiting.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await ask("later")).toBeLessThan(900);
  } finally {
    worker.stop();
  }
});
