// Identification and limits of callers, in a Functions host over real HTTP.

import { readdirSync } from "node:fs";
import { createChatHandler, createHealthHandler } from "copilot-keyless/azure-functions";
import { afterEach, describe, expect, test } from "vitest";
import { descendantsOf, environmentOf } from "../../support/processes.mjs";
import { costOfTrickles } from "../../support/trickle.js";
import { appWith, ask, EVENTS, emulatorForApps, json, parseEvents, startApp, until } from "./support.js";

const emulator = await emulatorForApps({
  platformCache: false,
  reply: ({ prompt, turn }) => `Turn ${turn}: ${prompt}`,
});
afterEach(() => emulator.faults.clear());

const app = await startApp(
  appWith(
    `{
    limits: { turns: 4, callerMs: 300, conversations: 4, bodyMs: 3_000 },
    caller: (request) => {
      const name = request.headers.get("x-caller");
      return name === null ? "anybody" : (GIVES[name] ?? (() => name))();
    },
  }`,
    `
    const GIVES = {
      nothing: () => undefined,
      null: () => null,
      number: () => 7,
      NaN: () => NaN,
      true: () => true,
      empty: () => "",
      blank: () => " ",
      half: () => "a\\ud800",
      object: () => ({}),
      list: () => ["ann"],
      String: () => new String("ann"),
      nobody: () => false,
      later: async () => "ann",
      "list later": async () => ["ann"],
      "nobody later": async () => false,
      throws: () => { throw new Error("password=hunter2 for db.internal"); },
      "throws later": async () => { throw new Error("password=hunter2 for db.internal"); },
      hangs: () => new Promise(() => {}),
    };`,
  ),
  emulator.env,
);

const by = (caller: string, headers: Record<string, string> = {}) => ({ "x-caller": caller, ...headers });
const status = async () => (await (await fetch(`${app.url}/api/health`)).json()) as { turns: number };

const NO_TEXT = [
  "nothing",
  "null",
  "number",
  "NaN",
  "true",
  "empty",
  "blank",
  "half",
  "object",
  "list",
  "String",
  "list later",
];

test.each(NO_TEXT)("a caller that is no text is refused before the model is asked: %s", async (name) => {
  const before = { ...emulator.counts };
  const response = await ask(app, { prompt: "Hi" }, by(name));
  expect([response.status, (await json(response)).code]).toEqual([500, "chat/caller-invalid"]);
  expect(emulator.counts).toEqual(before);
  expect(app.log()).toMatch(/caller must return a non-empty string or false; it returned/);
});

test.each(["nobody", "nobody later"])("false is 401: %s", async (name) => {
  const before = { ...emulator.counts };
  const response = await ask(app, { prompt: "Hi" }, by(name));
  expect([response.status, (await json(response)).code]).toEqual([401, "chat/unauthorized"]);
  expect(emulator.counts).toEqual(before);
});

const THROWS = ["throws", "throws later"];

test.each(THROWS)("one that throws is the app's fault, and says nothing to the caller: %s", async (name) => {
  const response = await ask(app, { prompt: "Hi" }, by(name));
  const text = await response.text();
  expect([response.status, JSON.parse(text).code]).toEqual([500, "chat/caller-failed"]);
  expect(text).not.toMatch(/hunter2|internal/);
  await until(() => app.log().includes("caller threw"));
  expect(app.log()).not.toContain("hunter2");
});

test("one that hangs holds no slot for ever", async () => {
  const responses = await Promise.all(
    Array.from({ length: 4 }, () => ask(app, { prompt: "Hi" }, by("hangs"))),
  );
  for (const response of responses)
    expect([response.status, (await json(response)).code]).toEqual([504, "chat/caller-timeout"]);
  expect((await status()).turns).toBe(0);
});

test("one that is async keeps its caller's conversations apart", async () => {
  const { sessionId } = await json(await ask(app, { prompt: "Hi" }, by("later")));
  expect((await ask(app, { prompt: "Hi", sessionId }, by("bob"))).status).toBe(404);
  const again = await json(await ask(app, { prompt: "again", sessionId }, by("ann")));
  expect(again.reply).toBe("Turn 1: again");
});

test("a caller who takes many turns leaves slots to the others, and is told to wait", async () => {
  await ask(app, { prompt: "Warm up" }, by("eve"));
  const before = emulator.counts.foundry;
  emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 1_500, times: 2 });
  const running = [1, 2].map(() => ask(app, { prompt: "Slow" }, by("eve")));
  await until(() => emulator.counts.foundry >= before + 2);
  const refused = await ask(app, { prompt: "One more" }, by("eve"));
  expect(refused.headers.get("retry-after")).toBe("1");
  expect([refused.status, (await json(refused)).code]).toEqual([429, "chat/too-many-turns"]);
  expect((await ask(app, { prompt: "Hi" }, by("her"))).status).toBe(200);
  for (const response of await Promise.all(running)) expect(response.status).toBe(200);
});

test("a caller who begins many conversations pushes out none of another's", async () => {
  const hers = await json(await ask(app, { prompt: "Hi" }, by("her")));
  const his: (string | undefined)[] = [];
  for (let begun = 0; begun < 6; begun += 1)
    his.push((await json(await ask(app, { prompt: "Hi" }, by("him")))).sessionId);
  const again = await json(await ask(app, { prompt: "again", sessionId: hers.sessionId }, by("her")));
  expect(again.reply).toBe("Turn 1: again");
  expect((await ask(app, { prompt: "Hi", sessionId: his[0] }, by("him"))).status).toBe(404);
  expect((await ask(app, { prompt: "Hi", sessionId: his[5] }, by("him"))).status).toBe(200);
});

test("half a character becomes U+FFFD, in a turn that takes no longer than others", async () => {
  for (const headers of [{}, EVENTS]) {
    const response = await ask(app, '{"prompt":"cut \\ud83d off"}', by("ann", headers));
    const text = await response.text();
    expect(response.status).toBe(200);
    const reply =
      headers === EVENTS
        ? parseEvents(text)
            .map(({ data }) => data.text ?? "")
            .join("")
        : JSON.parse(text).reply;
    expect(reply).toBe("Turn 0: cut \ufffd off");
  }
  expect((await status()).turns).toBe(0);
});

test("bodies in one-byte chunks cost their size, not an object for every byte", async () => {
  const chat = createChatHandler({ endpoint: "https://myres.openai.azure.com", limits: { bodyMs: 60_000 } });
  const context = { invocationId: "trickle", info() {}, warn() {}, error() {} };
  expect(
    await costOfTrickles((asked) => chat(asked as never, context as never) as Promise<unknown>),
  ).toBeLessThan(15);
  await chat.close();
});

const FORMS = [{}, EVENTS];

test.each(FORMS)("who leaves while the credential hangs frees the slot at once: %s", async (headers) => {
  const stalled = await startApp(appWith("{ limits: { turns: 1 } }"), emulator.env);
  expect((await ask(stalled, { prompt: "Warm up" })).status).toBe(200);
  emulator.revokeTokens();
  emulator.faults.add({ server: "identity", kind: "hang", times: Number.POSITIVE_INFINITY });
  const turns = async () =>
    ((await (await fetch(`${stalled.url}/api/health`)).json()) as { turns: number }).turns;
  const stop = new AbortController();
  const left = ask(stalled, { prompt: "Hi" }, headers as Record<string, string>, stop.signal).catch(
    ({ name }) => name,
  );
  await until(async () => (await turns()) === 1);
  stop.abort();
  const began = performance.now();
  expect(await left).toBe("AbortError");
  await until(async () => (await turns()) === 0);
  expect(performance.now() - began).toBeLessThan(900);
});

describe("health", () => {
  test("asks nothing of anybody and starts nothing", async () => {
    const fresh = await startApp(appWith('{ models: ["gpt-4o"] }'), emulator.env);
    const { TMPDIR } = environmentOf(fresh.process.pid);
    const before = { ...emulator.counts };
    for (let asked = 0; asked < 3; asked += 1) {
      const response = await fetch(`${fresh.url}/api/health`);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        state: "open",
        started: false,
        healthy: true,
        credential: "managed-identity",
        models: ["gpt-5.5", "gpt-4o"],
        token: { state: "empty", refreshing: false, consecutiveFailures: 0 },
        turns: 0,
        conversations: 0,
      });
    }
    expect(emulator.counts).toEqual(before);
    expect(descendantsOf(fresh.process.pid)).toEqual([]);
    expect(readdirSync(TMPDIR as string).filter((name) => name.startsWith("copilot-keyless-"))).toEqual([]);
    expect((await ask(fresh, { prompt: "Hi" })).status).toBe(200);
    expect(await (await fetch(`${fresh.url}/api/health`)).json()).toMatchObject({
      started: true,
      token: { state: "fresh" },
      conversations: 1,
    });
  });

  test("says that an app is not set up before anybody asks", async () => {
    const { FOUNDRY_RESOURCE_URL: _, ...rest } = emulator.env;
    const response = await fetch(`${(await startApp(appWith("{}"), rest)).url}/api/health`);
    expect([response.status, await response.json()]).toEqual([
      503,
      expect.objectContaining({ state: "misconfigured", error: "endpoint/empty" }),
    ]);
  });

  test.each([null, undefined, 5, "x", {}])("with an invalid chat handler is rejected: %j", (chat) => {
    expect(() => createHealthHandler(chat as never)).toThrow(
      expect.objectContaining({ code: "chat/invalid-option" }),
    );
  });
});

test("405 names what is allowed, and after close() every request is answered 503", async () => {
  const chat = createChatHandler({ endpoint: "https://myres.openai.azure.com" });
  const context = { invocationId: "1", info() {}, warn() {}, error() {} };
  const send = (method: string) =>
    chat(new Request("http://x/api/chat", { method }) as never, context as never) as Promise<{
      status: number;
      headers: Record<string, string>;
      body: string;
    }>;
  const refused = await send("GET");
  expect([refused.status, refused.headers.allow]).toEqual([405, "POST"]);
  await chat.close();
  for (const method of ["GET", "POST"]) {
    const { status, body, headers } = await send(method);
    expect([status, JSON.parse(body).code, headers["retry-after"]]).toEqual([503, "chat/closing", "5"]);
  }
  expect(chat.status()).toMatchObject({ state: "closed", healthy: false, turns: 0 });
});

test("a log that throws changes no answer", async () => {
  const chat = createChatHandler({ endpoint: "https://myres.openai.azure.com" });
  const fails = () => {
    throw new Error("of the logger");
  };
  const context = { invocationId: "2", info: fails, warn: fails, error: fails };
  const { status } = (await chat(new Request("http://x/api/chat") as never, context as never)) as {
    status: number;
  };
  expect(status).toBe(405);
});
