// Tests with the real runtime what a conversation has of its own: model, system message, tools,
// reasoning effort, metadata and id; and what a turn tells about the model and its tokens.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionEvent } from "@github/copilot-sdk";
import { type AgentOptions, createFoundryProvider, FoundryAgent } from "copilot-keyless";
import type { ReplyRequest } from "copilot-keyless/emulator";
import { afterAll, describe, expect, test } from "vitest";
import { emulated, killRuntimes, tool } from "../support.js";

let request: ReplyRequest | undefined;
const emulator = await emulated({
  deployments: ["gpt-5.5", "gpt-4o", "team-gpt"],
  reply: (received) => {
    request = received;
    const { tools, toolResults, messages } = received;
    if (tools[0]?.name === "look" && toolResults.length < 2)
      return { toolCalls: [{ name: "look", arguments: {} }] };
    return `Message ${messages.filter(({ role }) => role === "user").length}`;
  },
});
const agents: FoundryAgent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));

function chatAgent(options: AgentOptions = {}): FoundryAgent {
  const agent = new FoundryAgent({ preset: "chat", systemMessage: "The agent's", ...options });
  agents.push(agent);
  return agent;
}

const system = () => request?.messages.find(({ role }) => role === "system")?.text;
const toolNames = () => request?.tools.map(({ name }) => name);
const invalid = expect.objectContaining({ code: "agent/invalid-option", hint: expect.any(String) });

describe("a conversation's own", () => {
  test("model: another deployment of the same resource, with the same tokens", async () => {
    const agent = chatAgent();
    await agent.chat("Hello");
    expect(request?.model).toBe("gpt-5.5");
    const identity = emulator.counts.identity;
    const other = agent.conversation({ model: "gpt-4o" });
    expect(await other.turn("Hello")).toMatchObject({ text: "Message 1", model: "gpt-4o" });
    expect(request?.model).toBe("gpt-4o");
    const named = agent.conversation({ model: "gpt-5.5", deployment: "team-gpt" });
    await named.chat("Hello");
    expect(request?.model).toBe("team-gpt");
    await agent.conversation({ deployment: "gpt-4o" }).chat("Hello");
    expect(request?.model).toBe("gpt-4o");
    await agent.chat("Hello again");
    expect(request?.model).toBe("gpt-5.5");
    expect(emulator.counts.identity).toBe(identity);
  });

  test("model, of an agent whose deployment has another name", async () => {
    const agent = chatAgent({ model: "gpt-5.5", deployment: "team-gpt" });
    await agent.conversation({ model: "gpt-5.5" }).chat("Hello");
    expect(request?.model).toBe("team-gpt");
    await agent.conversation({ model: "gpt-4o" }).chat("Hello");
    expect(request?.model).toBe("gpt-4o");
  });

  test("system message, in place of the agent's", async () => {
    const agent = chatAgent();
    await agent.conversation({ systemMessage: "The conversation's" }).chat("Hello");
    expect(system()).toBe("The conversation's");
    await agent.conversation().chat("Hello");
    expect(system()).toBe("The agent's");
    const coding = chatAgent({
      preset: "coding",
      systemMessage: undefined,
      session: { availableTools: [], systemMessage: { mode: "append", content: "The session's" } },
    });
    const replaced = { mode: "replace", content: "The conversation's" } as const;
    await coding.conversation({ systemMessage: replaced }).chat("Hello");
    expect(system()).toBe("The conversation's");
    await coding.conversation({ reasoningEffort: "low" }).chat("Hello");
    expect(system()).toContain("The session's");
  });

  test("tools, in place of the agent's, which run", async () => {
    const agent = chatAgent({ session: { tools: [tool("other", () => "Other")] } });
    let looked = 0;
    const look = tool("look", () => `Looked ${++looked}`);
    const conversation = agent.conversation({ tools: [look] });
    const { text, usage } = await conversation.turn("Look");
    expect([text, looked, toolNames()]).toEqual(["Message 1", 2, ["look"]]);
    expect(usage.requests).toBe(3);
    await agent.chat("Hello");
    expect(toolNames()).toEqual(["other"]);
    await agent.conversation({ tools: [] }).chat("Hello");
    expect(toolNames()).toEqual([]);
  });

  test("reasoning effort", async () => {
    const efforts: unknown[] = [];
    const onEvent = (event: SessionEvent) => {
      if (event.type === "assistant.usage") efforts.push(event.data.reasoningEffort);
    };
    const agent = chatAgent();
    await agent.conversation({ reasoningEffort: "low" }).chat("Hello", { onEvent });
    await agent.conversation({ reasoningEffort: "high" }).chat("Hello", { onEvent });
    expect(efforts).toEqual(["low", "high"]);
  });

  test("metadata, which stays here", async () => {
    const agent = chatAgent();
    const given = { user: "Ada", plan: { seats: 3 } };
    const conversation = agent.conversation({ metadata: given });
    await conversation.chat("Hello");
    expect(conversation.metadata).toEqual(given);
    expect(Object.isFrozen(conversation.metadata)).toBe(true);
    expect(JSON.stringify(request)).not.toContain("Ada");
    expect(agent.conversation().metadata).toEqual({});
  });

  test("configuration stays with it when its runtime dies", async () => {
    const agent = chatAgent();
    const conversation = agent.conversation({ model: "gpt-4o", systemMessage: "The conversation's" });
    await conversation.chat("Hello");
    killRuntimes();
    expect(await conversation.turn("And now?")).toMatchObject({ text: "Message 2", model: "gpt-4o" });
    expect([request?.model, system()]).toEqual(["gpt-4o", "The conversation's"]);
  });
});

describe("id", () => {
  test("is known before the first turn, and is that of the session", async () => {
    const agent = chatAgent();
    const conversation = agent.conversation();
    const { id } = conversation;
    expect(id).toMatch(/^[\da-f-]{36}$/);
    expect(conversation.sessionId).toBeUndefined();
    await conversation.chat("Hello");
    expect([conversation.id, await conversation.sessionId]).toEqual([id, id]);
    expect(agent.conversation().id).not.toBe(id);
    await conversation.close();
    expect(conversation.id).toBe(id);
    const later = agent.conversation({ resume: id });
    expect(later.id).toBe(id);
    expect(await later.chat("Hello again")).toBe("Message 2");
  });

  test("outlives a first turn that fails, and a runtime that dies", async () => {
    const agent = chatAgent();
    const conversation = agent.conversation();
    const { id } = conversation;
    emulator.faults.add({ server: "foundry", kind: "status", status: 404 });
    await expect(conversation.chat("Hello")).rejects.toMatchObject({ code: "model/wrong-path" });
    killRuntimes();
    await conversation.chat("Hello");
    killRuntimes();
    await conversation.chat("Hello");
    expect([conversation.id, await conversation.sessionId]).toEqual([id, id]);
  });

  test("may be chosen", async () => {
    const agent = chatAgent();
    const conversation = agent.conversation({ id: "order-4711" });
    expect(conversation.id).toBe("order-4711");
    await conversation.chat("Hello");
    expect(await conversation.sessionId).toBe("order-4711");
  });

  test("one that has a history is refused, at once or with the first turn, and nothing is lost", async () => {
    const agent = chatAgent();
    const [first, second] = [agent.conversation({ id: "taken" }), agent.conversation({ id: "taken" })];
    await first.chat("Hello");
    await expect(second.chat("Mine?")).rejects.toMatchObject({ code: "agent/session-open" });
    await first.close();
    await expect(second.chat("Mine?")).rejects.toEqual(invalid);
    expect(() => agent.conversation({ id: "taken" })).toThrow(invalid);
    expect(await agent.conversation({ resume: "taken" }).chat("Still?")).toBe("Message 2");
  });

  test("one whose history was deleted is free again", async () => {
    const agent = chatAgent();
    const first = agent.conversation({ id: "temporary" });
    await first.chat("Hello");
    await first.close({ deleteHistory: true });
    expect(await agent.conversation({ id: "temporary" }).chat("Anew")).toBe("Message 1");
  });
});

describe("options that cannot be are refused at once", () => {
  const provider = createFoundryProvider({ endpoint: "https://myres.openai.azure.com", env: {} });
  test.each<[string, object]>([
    ["an unknown one", { modell: "gpt-4o" }],
    ["one of the agent", { preset: "chat" }],
    ["an id with a slash", { id: "../other" }],
    ["an empty id", { id: "" }],
    ["an endless id", { id: "x".repeat(129) }],
    ["id and resume", { id: "a", resume: "b" }],
    ["provider and model", { provider, model: "gpt-4o" }],
    ["provider and deployment", { provider, deployment: "gpt-4o" }],
    ["a system message without a mode", { systemMessage: { content: "x" } }],
    ["tools that are no list", { tools: { name: "x" } }],
    ["a tool without a name", { tools: [{}] }],
    ["metadata that is no object", { metadata: "x" }],
    ["an effort that is no text", { reasoningEffort: 3 }],
  ])("%s", (_, options) => {
    expect(() => chatAgent().conversation(options as never)).toThrow(invalid);
  });

  test("the error names the option and those that there are", () => {
    expect(() => chatAgent().conversation({ modell: "gpt-4o" } as never)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("modell"),
        hint: expect.stringContaining("model, deployment"),
      }),
    );
  });
});

describe("a turn", () => {
  test("takes attachments", async () => {
    const data = Buffer.from("Milk, eggs").toString("base64");
    const list = { type: "blob" as const, data, mimeType: "text/plain", displayName: "list.txt" };
    await chatAgent().chat("What is on it?", { attachments: [list] });
    expect(request?.messages.at(-1)?.text).toContain("Milk, eggs");
    await expect(chatAgent().chat("Hello", { attachments: list as never })).rejects.toMatchObject({
      code: "agent/invalid-option",
      message: expect.stringContaining("attachments"),
    });
  });

  test("tells text, model and tokens", async () => {
    const agent = chatAgent();
    expect(await agent.turn("Hello")).toEqual({
      text: "Message 1",
      model: "gpt-5.5",
      usage: {
        requests: 1,
        inputTokens: expect.any(Number),
        outputTokens: expect.any(Number),
        cachedInputTokens: 0,
        reasoningTokens: 0,
      },
    });
    const first = (await agent.turn("Hello")).usage.inputTokens;
    expect((await agent.turn("Hello")).usage.inputTokens).toBeGreaterThan(first);
  });

  test("a stream does so at its end", async () => {
    const stream = chatAgent().stream("Hello");
    let text = "";
    for await (const piece of stream) text += piece;
    const reply = await stream.reply;
    expect([reply.text, reply.usage.requests, reply.model]).toEqual([text, 1, "gpt-5.5"]);
  });

  test("a stream that fails, or is left, rejects there too, and leaves no rejection unhandled", async () => {
    const agent = chatAgent({ stateless: true });
    emulator.faults.add({ server: "foundry", kind: "status", status: 404 });
    const failing = agent.stream("Hello");
    await expect(failing.next()).rejects.toMatchObject({ code: "model/wrong-path" });
    await expect(failing.reply).rejects.toMatchObject({ code: "model/wrong-path" });
    const left = agent.stream("Hello");
    for await (const _ of left) break;
    await left.reply.catch((error: unknown) => expect(error).toMatchObject({ name: "AbortError" }));
  });
});

test("a client of the program's own: the same, in its home", async () => {
  const baseDirectory = mkdtempSync(join(tmpdir(), "copilot-keyless-"));
  const agent = chatAgent({ client: { baseDirectory } });
  await agent.conversation({ id: "order-4711" }).chat("Hello");
  await agent.close();
  const later = chatAgent({ client: { baseDirectory } });
  expect(() => later.conversation({ id: "order-4711" })).toThrow(invalid);
  expect(await later.conversation({ resume: "order-4711" }).chat("Again")).toBe("Message 2");
});
