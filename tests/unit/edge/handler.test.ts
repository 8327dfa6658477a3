// Tests the edge handler with the emulator: the contract of the Functions handler, without the
// Copilot runtime.

import { inspect } from "node:util";
import { createEdgeChatHandler, type EdgeChatOptions } from "copilot-keyless/edge";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, afterEach, describe, expect, test } from "vitest";

const emulator = await startEmulator({ chunkDelayMs: 10, tokenRevocation: true });
afterAll(() => emulator.stop());
const handlers: ReturnType<typeof createEdgeChatHandler>[] = [];
afterEach(() => {
  emulator.faults.clear();
  emulator.foundry.setRoles(["Foundry User"]);
  for (const handler of handlers.splice(0)) handler.close();
});

function handler(options: Partial<EdgeChatOptions> = {}) {
  const made = createEdgeChatHandler({ authorize: "anonymous", env: emulator.env, ...options });
  handlers.push(made);
  return made;
}

function asking(body: unknown, headers: Record<string, string> = {}, init: RequestInit = {}): Request {
  return new Request("http://edge.example/chat", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
}

const EVENTS = { accept: "text/event-stream" };

test("a reply in JSON, by one token for all calls", async () => {
  const chat = handler();
  const before = { ...emulator.counts };
  const replies = await Promise.all(
    [1, 2, 3].map(async (number) => (await chat(asking({ prompt: `Hello ${number}` }))).json()),
  );
  for (const [index, reply] of replies.entries())
    expect(reply).toEqual({ reply: expect.stringContaining(`Hello ${index + 1}`), model: "gpt-5.5" });
  expect(emulator.counts.identity - before.identity).toBe(1);
  expect(emulator.counts.foundry - before.foundry).toBe(3);
});

test("a reply as it comes", async () => {
  const response = await handler()(asking({ prompt: "Hello" }, EVENTS));
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const text = await response.text();
  const deltas = [...text.matchAll(/^event: delta\ndata: (.*)$/gm)].map(([, data]) =>
    JSON.parse(data as string),
  );
  expect(deltas.length).toBeGreaterThan(3);
  expect(deltas.map(({ text }) => text).join("")).toContain('You said: "Hello"');
  expect(text).toMatch(/^event: done\ndata: .*"model":"gpt-5\.5"/m);
});

test("a token that was revoked is replaced, and the caller notices nothing", async () => {
  const chat = handler();
  await chat(asking({ prompt: "Warm up" }));
  const before = { ...emulator.counts };
  emulator.revokeTokens();
  const response = await chat(asking({ prompt: "And now?" }));
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("And now?");
  expect(emulator.counts.unauthorized - before.unauthorized).toBe(1);
  expect(emulator.counts.identity - before.identity).toBe(1);
});

describe("requests that are rejected", () => {
  async function refused(response: Response) {
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    const body = await response.json();
    expect(inspect(body)).not.toMatch(/eyJ[\w-]{10,}/);
    return { status: response.status, code: body.code };
  }

  test.each([
    ["not JSON", "{", 400, "chat/not-json"],
    ["no prompt", {}, 400, undefined],
    ["a conversation", { prompt: "Hi", sessionId: "x".repeat(40) }, 404, "chat/session-not-found"],
    ["another model", { prompt: "Hi", model: "gpt-9" }, 400, "chat/unknown-model"],
  ])("%s", async (_name, body, status, code) => {
    const found = await refused(await handler()(asking(body)));
    expect(found.status).toBe(status);
    if (code) expect(found.code).toBe(code);
  });

  test("a missing role is the app's fault, not the caller's", async () => {
    emulator.foundry.setRoles([]);
    expect(await refused(await handler()(asking({ prompt: "Hi" })))).toEqual({
      status: 502,
      code: "model/missing-role",
    });
  });

  test("no quota", async () => {
    emulator.faults.add({ server: "foundry", kind: "status", status: 429, headers: { "retry-after": "7" } });
    const response = await handler()(asking({ prompt: "Hi" }));
    expect(response.headers.get("retry-after")).toBe("7");
    expect((await refused(response)).code).toBe("model/rate-limited");
  });

  test("an identity endpoint that asks for an hour keeps no caller away for an hour", async () => {
    emulator.faults.add({
      server: "identity",
      kind: "status",
      status: 429,
      headers: { "retry-after": "3600" },
      times: Infinity,
    });
    const response = await handler({ timeoutMs: 10_000 })(asking({ prompt: "Hi" }));
    expect(response.status).toBe(503);
    expect(Number(response.headers.get("retry-after"))).toBeLessThanOrEqual(120);
  });

  test("the identity endpoint refuses", async () => {
    emulator.faults.add({ server: "identity", kind: "status", status: 400, times: Number.POSITIVE_INFINITY });
    const found = await refused(await handler()(asking({ prompt: "Hi" })));
    expect(found.code).toBe("credential/refused");
    expect(found.status).toBeGreaterThanOrEqual(500);
  });

  test("a caller who disconnects ends the request to the model", async () => {
    emulator.faults.add({ server: "foundry", kind: "hang" });
    const stop = new AbortController();
    const waiting = handler()(asking({ prompt: "Hi" }, {}, { signal: stop.signal }));
    setTimeout(() => stop.abort(), 300);
    expect((await waiting).status).toBeGreaterThanOrEqual(400);
    await expect
      .poll(() => emulator.requests.filter(({ server }) => server === "foundry").at(-1)?.aborted)
      .toBe(true);
  });

  test("options that cannot be", () => {
    expect(() => handler({ endpoint: "https://<my-resource>.openai.azure.com" })).toThrow(
      expect.objectContaining({ code: "endpoint/placeholder" }),
    );
    expect(() => handler({ limits: { turns: 0 } })).toThrow(
      expect.objectContaining({ code: "chat/invalid-option" }),
    );
  });
});

test("other models by name, and a log without prompt and reply", async () => {
  const log: unknown[] = [];
  const chat = handler({ models: ["gpt-4o"], onLog: (entry) => log.push(entry) });
  expect(await (await chat(asking({ prompt: "Secret words", model: "gpt-4o" }))).json()).toMatchObject({
    model: "gpt-4o",
  });
  expect(log).toHaveLength(1);
  expect(inspect(log)).not.toContain("Secret words");
});

test.each([{ getToken: () => Promise.reject(new Error("not to be asked")) }, "direct" as never])(
  "an endpoint without a scope gets no token, whatever the credential",
  (credential) => {
    const chat = handler({ endpoint: "http://127.0.0.1:9/v1", env: {}, credential });
    expect(chat.tokens).toBeUndefined();
  },
);
