// Upstream failures that the runtime or the credential retries for half a minute. Each test has its
// own app and emulator, so that they run in parallel.

import { describe, expect, test } from "vitest";
import { appWith, ask, EVENTS, emulatorForApps, json, parseEvents, startApp, until } from "./support.js";

async function started(options: string) {
  const emulator = await emulatorForApps();
  const app = await startApp(appWith(options), emulator.env);
  const expectServed = async () => {
    const response = await ask(app, { prompt: "Still there?" });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("Still there?")]);
  };
  return { emulator, app, expectServed };
}

const [down, failing, silent, impatient] = await Promise.all([
  // A long deadline, so that the credential gives up first, even on a slow machine.
  started("{ tokens: { policy: { waitTimeoutMs: 60_000 } } }"),
  started("{}"),
  started("{ limits: { heartbeatMs: 400 } }"),
  started("{ timeoutMs: 8_000 }"),
]);

describe.concurrent("upstream", () => {
  test("identity endpoint down, before there was a token", async () => {
    const { emulator, app, expectServed } = down;
    const fault = emulator.faults.add({ server: "identity", kind: "reset", times: Number.POSITIVE_INFINITY });
    const response = await ask(app, { prompt: "Hi" });
    const problem = await json(response);
    fault.remove();
    expect([response.status, problem.code]).toEqual([503, "credential/network"]);
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    const health = await fetch(`${app.url}/api/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({
      healthy: false,
      token: { state: "empty", lastError: "credential/network" },
    });
    await until(async () => (await ask(app, { prompt: "Hi" })).ok);
    await expectServed();
  });

  test("the resource answers model/server-error", async () => {
    const { emulator, app, expectServed } = failing;
    const times = Number.POSITIVE_INFINITY;
    const handle = emulator.faults.add({ server: "foundry", kind: "status", times, status: 500 });
    const response = await ask(app, { prompt: "Hi" });
    const text = await response.text();
    handle.remove();
    expect([response.status, JSON.parse(text).code]).toEqual([502, "model/server-error"]);
    expect(text).not.toMatch(/az role|127\.0\.0\.1|gpt-5|eyJ/);
    expect(app.log()).toContain('"code":"model/server-error"');
    await expectServed();
  });

  test("a refusal while the stream is silent comes as an event, between comments", async () => {
    const { emulator, app, expectServed } = silent;
    const handle = emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 500,
      times: Number.POSITIVE_INFINITY,
    });
    const response = await ask(app, { prompt: "Hi" }, EVENTS);
    expect(response.status).toBe(200);
    const text = await response.text();
    handle.remove();
    expect(text).toContain(": still at work\n\n");
    const { event, data } = parseEvents(text).at(-1) ?? {};
    expect(event).toBe("error");
    expect(data).toMatchObject({
      status: 502,
      code: "model/server-error",
      correlationId: expect.any(String),
    });
    await expectServed();
  });

  test("a turn that takes too long", async () => {
    const { emulator, app, expectServed } = impatient;
    // On a busy machine the first turn, which starts the runtime, may itself time out.
    await until(async () => (await ask(app, { prompt: "Warm up" })).ok);
    const handle = emulator.faults.add({ server: "foundry", kind: "hang", times: Number.POSITIVE_INFINITY });
    const response = await ask(app, { prompt: "Hi" });
    handle.remove();
    expect([response.status, (await json(response)).code]).toEqual([504, "agent/timeout"]);
    await expectServed();
  });
});
