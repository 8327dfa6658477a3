// What goes wrong behind the app: callers get a status that is theirs, the code, and nothing of the app's resources.

import { afterEach, expect, test } from "vitest";
import { descendantsOf } from "../../support/processes.mjs";
import { appWith, ask, EVENTS, emulatorForApps, json, parseEvents, startApp, until } from "./support.js";

const LONG = `${"x".repeat(4_000)} `.repeat(1_500);
const emulator = await emulatorForApps({
  reply: ({ prompt }) =>
    prompt === "At length" ? LONG : `You said: "${prompt}", and this goes on for some words.`,
});
const app = await startApp(appWith("{ limits: { turns: 3, heartbeatMs: 400 } }"), emulator.env);
const impatient = await startApp(appWith("{ timeoutMs: 5_000, limits: { turns: 3 } }"), emulator.env);

// What one test has broken is no concern of the next one.
afterEach(() => emulator.faults.clear());

async function expectServed(by = app): Promise<void> {
  const response = await ask(by, { prompt: "Still there?" });
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("Still there?")]);
}

test("identity endpoint down, before there was a token", async () => {
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

const REFUSALS = [
  { fault: { error: "missing-role" }, status: 502, code: "model/missing-role" },
  { fault: { status: 403 }, status: 502, code: "model/firewall" },
  { fault: { status: 404 }, status: 502, code: "model/wrong-path" },
  {
    fault: { status: 429, headers: { "retry-after": "77" } },
    status: 503,
    code: "model/rate-limited",
    wait: "77",
  },
  { fault: { status: 500 }, status: 502, code: "model/server-error" },
] as const;

test.each(REFUSALS)("the resource answers $code", async ({ fault, status, code, ...more }) => {
  const times = Number.POSITIVE_INFINITY;
  const handle = emulator.faults.add({ server: "foundry", kind: "status", times, ...fault } as never);
  const response = await ask(app, { prompt: "Hi" });
  const text = await response.text();
  handle.remove();
  expect([response.status, JSON.parse(text).code]).toEqual([status, code]);
  if ("wait" in more) expect(response.headers.get("retry-after")).toBe(more.wait);
  // Whose resource it is, and which role is missing, is for the log.
  expect(text).not.toMatch(/az role|127\.0\.0\.1|gpt-5|eyJ/);
  expect(app.log()).toContain(`"code":"${code}"`);
  await expectServed();
});

test("the resource rejects every token", async () => {
  // MSAL would give out the rejected token again until it is about to expire.
  const other = await startApp(
    appWith(
      "{ credential }",
      `const credential = {
        getToken: async () => {
          const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env;
          const url = IDENTITY_ENDPOINT + "?resource=https://ai.azure.com&api-version=2019-08-01";
          const response = await fetch(url, { headers: { "x-identity-header": IDENTITY_HEADER } });
          const { access_token: token, expires_on } = await response.json();
          return { token, expiresOnTimestamp: expires_on * 1000 };
        },
      };`,
    ),
    emulator.env,
  );
  const handle = emulator.faults.add({ server: "foundry", kind: "status", status: 401, times: 3 });
  const response = await ask(other, { prompt: "Hi" });
  handle.remove();
  expect([response.status, (await json(response)).code]).toEqual([502, "model/token-invalid"]);
  expect(response.headers.get("www-authenticate")).toBeNull();
  expect((await ask(other, { prompt: "Hi" })).status).toBe(200);
});

test("a refusal while the stream is silent comes as an event, between comments", async () => {
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
  expect(data).toMatchObject({ status: 502, code: "model/server-error", correlationId: expect.any(String) });
  await expectServed();
});

test("a turn that takes too long", async () => {
  await expectServed(impatient);
  const handle = emulator.faults.add({ server: "foundry", kind: "hang", times: Number.POSITIVE_INFINITY });
  const response = await ask(impatient, { prompt: "Hi" });
  handle.remove();
  expect([response.status, (await json(response)).code]).toEqual([504, "agent/timeout"]);
  await expectServed(impatient);
});

test("a caller who leaves before the reply begins: the turn ends, and its place is free", async () => {
  for (let round = 0; round < 4; round += 1) {
    const before = emulator.counts.foundry;
    emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 60_000 });
    const stop = new AbortController();
    const left = ask(app, { prompt: "Slow" }, round % 2 ? EVENTS : {}, stop.signal).catch(
      (error) => error.name,
    );
    await until(() => emulator.counts.foundry > before);
    stop.abort();
    expect(await left).toBe("AbortError");
    await until(() => emulator.requests.at(-1)?.aborted === true);
  }
  await expectServed();
});

test("a caller who leaves in mid-stream: the request to the model is ended", async () => {
  emulator.faults.clear();
  const stop = new AbortController();
  const response = await ask(app, { prompt: "At length" }, EVENTS, stop.signal);
  const reader = response.body?.getReader();
  await reader?.read();
  const lines = app.log().split("chat left by its caller").length;
  stop.abort();
  await until(() => app.log().split("chat left by its caller").length > lines);
  await expectServed();
});

test("a runtime that is killed is started anew", async () => {
  for (const pid of descendantsOf(app.process.pid)) process.kill(pid, "SIGKILL");
  await until(async () => (await ask(app, { prompt: "Hi" })).ok);
  await expectServed();
});
