// Tests with the real runtime that what the SDK takes reaches it, and the model: options of the
// provider, of the session and of one turn. What conflicts with the agent is refused.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SessionEvent } from "@github/copilot-sdk";
import { type AgentOptions, type ChatOptions, FoundryAgent } from "copilot-keyless";
import { afterAll, describe, expect, test } from "vitest";
import { Judge, serve } from "../foundry/wire.js";
import { emulated } from "../support.js";

const TOKEN = "planted-token";
const judge = new Judge();
const origin = await serve(judge);
await emulated();
const agents: FoundryAgent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));

function agentOf(options: AgentOptions = {}): FoundryAgent {
  const tokens = Object.assign(async () => TOKEN, { invalidate: () => false });
  const agent = new FoundryAgent({
    preset: "chat",
    timeoutMs: 20_000,
    endpoint: `${origin}/openai/v1/`,
    tokens: tokens as never,
    ...options,
  });
  agents.push(agent);
  return agent;
}

/** Sends a prompt. Returns the events, and the request as the model's server saw it. */
async function ask(agent: FoundryAgent, options: ChatOptions = {}, headers?: Record<string, string>) {
  judge.expect({ url: "/openai/v1/responses", token: TOKEN, model: "gpt-5.5", headers });
  const events: SessionEvent[] = [];
  await agent.conversation().chat("Hello", { onEvent: (event) => events.push(event), ...options });
  return { events, request: judge.verify() };
}

/** What the runtime takes the model for. */
function capabilities(events: SessionEvent[]): unknown {
  const started = events.find(({ type }) => (type as string) === "model.turn_started");
  const { modelInfo } = (started?.data ?? {}) as { modelInfo?: { capabilities: unknown } };
  return modelInfo?.capabilities;
}

const image = {
  type: "blob" as const,
  data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  mimeType: "image/png",
  displayName: "dot.png",
};

describe("of the provider", () => {
  test("maxContextWindowTokens", async () => {
    const { events } = await ask(agentOf({ maxContextWindowTokens: 5_000, maxPromptTokens: 4_000 }));
    expect(capabilities(events)).toMatchObject({
      limits: { max_context_window_tokens: 5_000, max_prompt_tokens: 4_000 },
    });
  });

  test("modelCapabilities, beside an image that reaches the model", async () => {
    const modelCapabilities = { supports: { vision: true }, limits: { vision: { max_prompt_images: 2 } } };
    const { events, request } = await ask(agentOf({ modelCapabilities }), { attachments: [image, image] });
    expect(capabilities(events)).toMatchObject(modelCapabilities);
    expect(JSON.stringify(request.body).split(image.data)).toHaveLength(3);
  });

  test("transport: one WebSocket, with the token in its handshake", async () => {
    const upgrades: (string | undefined)[][] = [];
    const server = createServer((_request, response) => response.writeHead(404).end());
    server.on("upgrade", ({ url, headers }, socket) => {
      upgrades.push([url, headers.upgrade, headers.authorization]);
      socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const agent = agentOf({ transport: "websockets", endpoint: `http://127.0.0.1:${port}/openai/v1/` });
    await expect(agent.chat("Hello")).rejects.toMatchObject({ code: "model/wrong-path" });
    server.close();
    expect(upgrades[0]).toEqual(["/openai/v1/responses", "websocket", `Bearer ${TOKEN}`]);
  });
});

test("of the session: modelCapabilities and others of its config", async () => {
  const session = {
    modelCapabilities: { limits: { max_context_window_tokens: 7_000 } },
    organizationCustomInstructions: "Be brief.",
  };
  const { events } = await ask(agentOf({ preset: "coding", session }));
  expect(capabilities(events)).toMatchObject({ limits: { max_context_window_tokens: 7_000 } });
});

describe("of a turn", () => {
  const agent = agentOf();

  test.each(["enqueue", "immediate"] as const)("mode %s", async (mode) => {
    await ask(agent, { mode });
  });

  test("an immediate one waits for the turn before, too, and loses nothing", async () => {
    judge.expect({ url: "/openai/v1/responses", token: TOKEN, model: "gpt-5.5" });
    const conversation = agent.conversation();
    const replies = await Promise.all([
      conversation.chat("One"),
      conversation.chat("Two", { mode: "immediate" }),
      conversation.chat("Three"),
    ]);
    expect(replies).toEqual([judge.reply, judge.reply, judge.reply]);
    expect(judge.seen.map(({ body }) => JSON.stringify(body).match(/One|Two|Three/g))).toEqual([
      ["One"],
      ["One", "Two"],
      ["One", "Two", "Three"],
    ]);
  });

  test("source, agentMode and displayPrompt, which the history keeps", async () => {
    judge.expect({ url: "/openai/v1/responses", token: TOKEN, model: "gpt-5.5" });
    const [given, stored] = [
      { source: "agent-7", agentMode: "plan", displayPrompt: "Shown" },
      [] as object[],
    ];
    const watching = agentOf({
      session: {
        onEvent: (event) => {
          if (event.type === "user.message") stored.push(event.data);
        },
      },
    });
    await watching.chat("Hello", given as ChatOptions);
    await watching.chat("Hello", { source: "system" });
    expect(stored).toEqual([
      expect.objectContaining({ source: "agent-7", agentMode: "plan" }),
      expect.objectContaining({ source: "system" }),
    ]);
    expect(JSON.stringify(stored)).toContain("Shown");
  });

  test("requestHeaders, besides those of the provider", async () => {
    const named = agentOf({ headers: { "x-team": "blue" } });
    await ask(named, { requestHeaders: { "x-user": "ada" } }, { "x-team": "blue", "x-user": "ada" });
    const conversation = named.conversation();
    judge.expect({ url: "/openai/v1/responses", token: TOKEN, model: "gpt-5.5" });
    await conversation.chat("One", { requestHeaders: { "x-user": "ada" } });
    await conversation.chat("Two");
    expect(judge.seen.map(({ headers }) => headers.some(([name]) => name === "x-user"))).toEqual([
      true,
      false,
    ]);
  });

  test("attachments, of a stream and of a conversation that goes on", async () => {
    judge.expect({ url: "/openai/v1/responses", token: TOKEN, model: "gpt-5.5" });
    const conversation = agent.conversation();
    const text = (content: string) => ({
      type: "blob" as const,
      data: Buffer.from(content).toString("base64"),
      mimeType: "text/plain",
      displayName: "list.txt",
    });
    const stream = conversation.stream("What is on it?", { attachments: [text("Milk"), text("Eggs")] });
    for await (const _ of stream);
    await conversation.chat("And now?", { attachments: [text("Salt")] });
    const sent = judge.seen.map(({ body }) => JSON.stringify(body).match(/Milk|Eggs|Salt/g));
    expect(sent).toEqual([
      ["Milk", "Eggs"],
      ["Milk", "Eggs", "Salt"],
    ]);
  });

  test.each<[object, string]>([
    [{ mode: "later" }, "agent/invalid-option"],
    [{ source: "me" }, "agent/invalid-option"],
    [{ agentMode: "fast" }, "agent/invalid-option"],
    [{ prompt: "Other" }, "agent/invalid-option"],
    [{ requestHeaders: { Authorization: "Bearer x" } }, "provider/header"],
    [{ requestHeaders: { "api-key": "x" } }, "provider/header"],
    [{ requestHeaders: { "x-a": "b\r\nc: d" } }, "provider/header"],
    [{ requestHeaders: { "x-a": 5 } }, "provider/header"],
  ])("that cannot be is refused: %j", async (options, code) => {
    judge.expect({ url: "/none", token: TOKEN, model: "none" });
    await expect(agent.chat("Hello", options)).rejects.toMatchObject({ code, hint: expect.any(String) });
    expect(judge.seen).toEqual([]);
  });
});
