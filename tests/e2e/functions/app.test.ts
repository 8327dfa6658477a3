// Tests the deployable app in a Functions host with the real @azure/functions, Copilot SDK and
// runtime. The emulator replaces Azure.

import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { descendantsOf, environmentOf, runs } from "../../support/processes.mjs";
import { APP, ask, EVENTS, emulatorForApps, linkPackage, parseEvents, startApp, until } from "./support.js";

const SECRET = "a-connection-string-of-the-app";
const emulator = await emulatorForApps({
  reply: ({ prompt, turn, tools }) =>
    prompt === "Which tools?" ? `Tools: ${tools.length}` : `You said: "${prompt}",\r\nin turn ${turn}.`,
});
linkPackage();
const app = await startApp(APP, { ...emulator.env, AzureWebJobsStorage: SECRET });
const temporary = app.process.spawnargs && (environmentOf(app.process.pid).TMPDIR as string);

test("nothing starts before the first request, and health says that all is well", async () => {
  expect(descendantsOf(app.process.pid)).toEqual([]);
  const response = await fetch(`${app.url}/api/health`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    state: "open",
    started: false,
    healthy: true,
    credential: "managed-identity",
    models: ["gpt-5.5"],
    token: { state: "empty" },
    conversations: 0,
  });
  expect(emulator.counts).toMatchObject({ identity: 0, foundry: 0 });
  expect(descendantsOf(app.process.pid)).toEqual([]);
});

test("a reply comes as events, the conversation goes on by its id, in events or in JSON", async () => {
  const first = await ask(app, { prompt: "one\ntwo" }, EVENTS);
  expect(first.status).toBe(200);
  expect(Object.fromEntries(first.headers)).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "x-correlation-id": expect.stringMatching(/^[\da-f]{32}$/),
  });
  const events = parseEvents(await first.text());
  const texts = events.filter(({ event }) => event === "delta").map(({ data }) => data.text);
  expect(texts.length).toBeGreaterThan(3);
  expect(texts.join("")).toBe('You said: "one\ntwo",\r\nin turn 0.');
  const { event, data } = events.at(-1) ?? {};
  expect(event).toBe("done");
  expect(data).toEqual({ sessionId: expect.stringMatching(/^[\w-]{60,200}$/), model: "gpt-5.5" });

  const second = await ask(app, { prompt: "three", sessionId: data?.sessionId });
  expect(second.headers.get("content-type")).toBe("application/json");
  expect(await second.json()).toEqual({
    reply: 'You said: "three",\r\nin turn 1.',
    sessionId: data?.sessionId,
    model: "gpt-5.5",
  });
});

test("all invocations share one runtime and one token", async () => {
  const replies = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      ask(app, { prompt: `Number ${index}` }, index % 2 ? EVENTS : {}),
    ),
  );
  const texts = await Promise.all(replies.map((reply) => reply.text()));
  for (const text of texts) expect(text).toContain("sessionId");
  expect(emulator.counts.identity).toBe(1);
  const runtimes = descendantsOf(app.process.pid).filter((pid) => environmentOf(pid).COPILOT_HOME);
  expect(new Set(runtimes.map((pid) => environmentOf(pid).COPILOT_HOME)).size).toBe(1);
});

test("the model gets no tools, and the runtime neither identity secrets nor the app's settings", async () => {
  const reply = await ask(app, { prompt: "Which tools?" });
  expect(await reply.json()).toMatchObject({ reply: "Tools: 0" });
  const runtimes = descendantsOf(app.process.pid);
  expect(runtimes.length).toBeGreaterThan(0);
  for (const pid of runtimes) {
    const environment = environmentOf(pid);
    expect(environment).toHaveProperty("COPILOT_HOME");
    const text = JSON.stringify(environment);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(emulator.env.IDENTITY_HEADER);
    expect(text).not.toMatch(/IDENTITY_ENDPOINT|AZURE_/);
  }
});

test("the caller's trace is the correlation id, in the answer, in problems and in the log", async () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${trace}-b7ad6b7169203331-01`;
  const good = await ask(app, { prompt: "Hello" }, { traceparent });
  expect(good.headers.get("x-correlation-id")).toBe(trace);
  const bad = await ask(app, "{", { traceparent });
  expect(bad.headers.get("content-type")).toBe("application/problem+json");
  expect(await bad.json()).toMatchObject({ status: 400, code: "chat/not-json", correlationId: trace });
  await until(() => app.log().split(trace).length > 2);
  expect(app.log()).toContain('"message":"chat answered"');
  // The log contains neither the conversation nor the library's warning about late logging.
  expect(app.log()).not.toContain("You said");
  expect(app.log()).not.toContain("Unexpected call to 'log'");
  expect(app.log()).not.toMatch(/eyJ[\w-]{10,}/);
});

test("a trace that is none does not get into a header", async () => {
  const response = await ask(app, "{", { traceparent: "00-<script>-x-01" });
  expect(response.headers.get("x-correlation-id")).toMatch(/^[\da-f-]{32,36}$/);
});

test("health shows the token's times, and no token", async () => {
  const text = await (await fetch(`${app.url}/api/health`)).text();
  expect(JSON.parse(text)).toMatchObject({
    healthy: true,
    token: { state: "fresh", expiresOn: expect.any(Number), consecutiveFailures: 0 },
  });
  expect(text).not.toContain("eyJ");
});

test("when the host ends the app, the runtime ends, and its files are gone", async () => {
  const runtimes = descendantsOf(app.process.pid);
  expect(runtimes.length).toBeGreaterThan(0);
  expect(readdirSync(temporary).length).toBeGreaterThan(0);
  expect(await app.stop()).toBe(0);
  await expect.poll(() => runtimes.filter(runs)).toEqual([]);
  await expect
    .poll(() => readdirSync(temporary).filter((name) => name.startsWith("copilot-keyless-")))
    .toEqual([]);
});
