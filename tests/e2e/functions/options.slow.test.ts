// Tests options of an app: durable conversations, tools, and the identification of callers.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { appWith, ask, EVENTS, emulatorForApps, json, parseEvents, startApp } from "./support.js";

const emulator = await emulatorForApps({
  reply: ({ prompt, turn, messages, tools, toolResults }) => {
    if (prompt === "What were you told?")
      return JSON.stringify([messages[0]?.role, messages[0]?.text, tools.map(({ name }) => name)]);
    if (prompt !== "What is the weather?") return `Turn ${turn}`;
    if (toolResults.length > 0) return `It is ${toolResults[0]?.text}`;
    return { toolCalls: [{ name: tools[0]?.name ?? "none", arguments: { city: "Graz" } }] };
  },
});

describe("durable conversations", () => {
  const share = mkdtempSync(join(tmpdir(), "copilot-keyless-share-"));
  afterAll(() => rmSync(share, { recursive: true, force: true, maxRetries: 3 }));
  const durable = (secret: string) =>
    appWith(`{ durable: { baseDirectory: ${JSON.stringify(share)}, secret: "${secret.repeat(32)}" } }`);

  test("go on in another worker that knows the secret, and in no other", async () => {
    const first = await startApp(durable("s"), emulator.env);
    const { sessionId } = await json(await ask(first, { prompt: "Hi" }));
    expect(await first.stop()).toBe(0);
    const second = await startApp(durable("s"), emulator.env);
    expect(await json(await ask(second, { prompt: "Hi", sessionId }))).toMatchObject({
      reply: "Turn 1",
      sessionId,
    });
    const stranger = await startApp(durable("x"), emulator.env);
    const refused = await ask(stranger, { prompt: "Hi", sessionId });
    expect([refused.status, (await json(refused)).code]).toEqual([404, "chat/session-not-found"]);
  });

  test("go from one live worker to another and back, and answer one prompt at a time", async () => {
    const [one, other] = [
      await startApp(durable("s"), emulator.env),
      await startApp(durable("s"), emulator.env),
    ];
    const { sessionId } = await json(await ask(one, { prompt: "Hi" }));
    for (const [turn, app] of [other, one, other].entries()) {
      const response = await ask(app, { prompt: "Hi", sessionId });
      expect([response.status, (await json(response)).reply]).toEqual([200, `Turn ${turn + 1}`]);
    }
    const slow = emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 1_500 });
    const before = emulator.counts.foundry;
    const first = ask(one, { prompt: "Hi", sessionId });
    await expect.poll(() => emulator.counts.foundry).toBeGreaterThan(before);
    const second = await ask(other, { prompt: "Hi", sessionId });
    expect([second.status, (await json(second)).code]).toEqual([409, "chat/session-busy"]);
    expect((await first).status).toBe(200);
    slow.remove();
  });

  test("are over when their files are gone", async () => {
    const app = await startApp(durable("s"), emulator.env);
    const { sessionId } = await json(await ask(app, { prompt: "Hi" }));
    await app.stop();
    rmSync(share, { recursive: true });
    const next = await startApp(durable("s"), emulator.env);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const refused = await ask(next, { prompt: "Hi", sessionId });
      expect([refused.status, (await json(refused)).code]).toEqual([404, "chat/session-not-found"]);
    }
    expect((await ask(next, { prompt: "Hi" })).status).toBe(200);
  });
});

test("without it, a conversation ends with its worker", async () => {
  const first = await startApp(appWith("{}"), emulator.env);
  const { sessionId } = await json(await ask(first, { prompt: "Hi" }));
  await first.stop();
  const second = await startApp(appWith("{}"), emulator.env);
  expect((await ask(second, { prompt: "Hi", sessionId })).status).toBe(404);
});

test("a chat by default: the app's system message and tools, and nothing of a coding agent", async () => {
  const told = async (options: string) => {
    const app = await startApp(appWith(options), emulator.env);
    const { reply } = await json(await ask(app, { prompt: "What were you told?" }));
    return JSON.parse(String(reply));
  };
  expect(await told("{}")).toEqual(["system", "You are a helpful assistant.", []]);
  expect(await told('{ systemMessage: "Sell tea.", session: { tools: [{ name: "bash" }] } }')).toEqual([
    "system",
    "Sell tea.",
    ["bash"],
  ]);
  const [, system, tools] = await told('{ preset: "coding", systemMessage: "Sell tea." }');
  expect(system).toMatch(/^You are GitHub Copilot[\s\S]*Sell tea\./);
  expect(tools).toEqual([]);
});

test("an app's tool emits events at start and end, without arguments and result", async () => {
  const app = await startApp(
    appWith(
      "{ session: { tools: [weather] } }",
      `import { defineTool } from "@github/copilot-sdk";
       const weather = defineTool("weather", {
         description: "The weather of a city",
         parameters: { type: "object", properties: { city: { type: "string" } } },
         handler: () => "sunny",
       });`,
    ),
    emulator.env,
  );
  const text = await (await ask(app, { prompt: "What is the weather?" }, EVENTS)).text();
  const events = parseEvents(text);
  const tools = events.filter(({ event }) => event === "tool").map(({ data }) => data);
  expect(tools).toEqual([
    { id: expect.any(String), name: "weather", state: "started" },
    { id: tools[0]?.id, name: "weather", state: "succeeded" },
  ]);
  expect(text).not.toContain("Graz");
  expect(
    events
      .filter(({ event }) => event === "delta")
      .map(({ data }) => data.text)
      .join(""),
  ).toBe("It is sunny");
});

test("the user of App Service authentication is the caller, where that is switched on", async () => {
  const her = { "x-ms-client-principal-idp": "aad", "x-ms-client-principal-id": "1" };
  const him = { ...her, "x-ms-client-principal-id": "2" };
  const guarded = await startApp(appWith("{}"), { ...emulator.env, WEBSITE_AUTH_ENABLED: "True" });
  const { sessionId } = await json(await ask(guarded, { prompt: "Hi" }, her));
  expect((await ask(guarded, { prompt: "Hi", sessionId }, him)).status).toBe(404);
  expect((await ask(guarded, { prompt: "Hi", sessionId }, her)).status).toBe(200);
});

test("an app that is not set up says so to its log, and to callers only that", async () => {
  const { FOUNDRY_RESOURCE_URL: _, ...rest } = emulator.env;
  const app = await startApp(appWith("{}"), rest);
  const response = await ask(app, { prompt: "Hi" });
  const problem = await json(response);
  expect([response.status, problem.code, problem.detail]).toEqual([
    500,
    "endpoint/empty",
    "This app is misconfigured.",
  ]);
  expect(app.log()).toContain("FOUNDRY_RESOURCE_URL");
  const health = await fetch(`${app.url}/api/health`);
  expect([health.status, (await json(health)).error]).toEqual([503, "endpoint/empty"]);
  const developing = await startApp(appWith("{}"), { ...rest, AZURE_FUNCTIONS_ENVIRONMENT: "Development" });
  const told = await json(await ask(developing, { prompt: "Hi" }));
  expect(told.hint).toContain("FOUNDRY_RESOURCE_URL");
});
