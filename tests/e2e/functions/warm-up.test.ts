// Tests an app whose handler starts before its first request, in the Functions host.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { descendantsOf, environmentOf } from "../../support/processes.mjs";
import { appWith, ask, emulatorForApps, json, startApp } from "./support.js";

const emulator = await emulatorForApps();

test("with warmUp the host serves once the runtime and the token are there, and no session is left", async () => {
  const app = await startApp(appWith("{ warmUp: true }"), emulator.env);
  const [runtime] = descendantsOf(app.process.pid);
  expect(runtime).toBeDefined();
  expect(emulator.counts).toMatchObject({ identity: 1, foundry: 0 });
  const health = await (await fetch(`${app.url}/api/health`)).json();
  expect(health).toMatchObject({ state: "open", started: true, healthy: true, conversations: 0 });
  const { COPILOT_HOME = "" } = environmentOf(runtime);
  const sessions = join(COPILOT_HOME, "session-state");
  await vi.waitFor(() => expect(readdirSync(sessions)).toEqual([]), 10_000);

  expect(await json(await ask(app, { prompt: "Hi" }))).toMatchObject({
    reply: expect.stringContaining("Hi"),
  });
  expect(emulator.counts.identity).toBe(1);
  expect(descendantsOf(app.process.pid)).toContain(runtime);
});

test("a failure to warm up is left to the first request", async () => {
  const env = { ...emulator.env, IDENTITY_ENDPOINT: "http://127.0.0.1:9/" };
  const app = await startApp(
    appWith('{ warmUp: true, credential: "direct", tokens: { policy: { waitTimeoutMs: 2_000 } } }'),
    env,
  );
  const answer = await ask(app, { prompt: "Hi" });
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: expect.stringMatching(/^credential\//) });
});

test("an app with a setting that is missing starts, and says so", async () => {
  const app = await startApp(appWith("{ warmUp: true }"), { ...emulator.env, FOUNDRY_RESOURCE_URL: "" });
  const health = await fetch(`${app.url}/api/health`);
  expect(health.status).toBe(503);
  expect(await health.json()).toMatchObject({
    state: "misconfigured",
    error: expect.stringContaining("endpoint/"),
  });
});
