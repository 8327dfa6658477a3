// Tests with the real runtime what a session starts from: the presets, the forms of the system
// message, and what a turn costs by the emulator's count (the bytes of the request, by four).

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentOptions, FoundryAgent } from "copilot-keyless";
import type { ReplyRequest } from "copilot-keyless/emulator";
import { afterAll, describe, expect, test } from "vitest";
import { emulated } from "../support.js";

let request: ReplyRequest | undefined;
await emulated({
  reply: (received) => {
    request = received;
    return "Hi";
  },
});
const agents: FoundryAgent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));

/** Sends "hello", and returns what the model received. */
async function hello(options: AgentOptions) {
  const agent = new FoundryAgent(options);
  agents.push(agent);
  const { usage } = await agent.turn("hello");
  const system = request?.messages.filter(({ role }) => role === "system").map(({ text }) => text);
  return {
    tools: request?.tools.map(({ name }) => name) ?? [],
    system: system?.join("\n") ?? "",
    inputTokens: usage.inputTokens,
  };
}

describe("preset", () => {
  test("coding is the default: the runtime's tools and its message, 10,000 tokens and more", async () => {
    const [byDefault, coding] = [await hello({}), await hello({ preset: "coding" })];
    expect(byDefault.tools).toEqual(expect.arrayContaining(["bash", "apply_patch", "web_fetch"]));
    expect(byDefault.system).toContain("You are GitHub Copilot");
    expect(byDefault.inputTokens).toBeGreaterThan(5_000);
    expect(coding.tools).toEqual(byDefault.tools);
  });

  test("chat: no tools, the program's message alone, about 100 tokens", async () => {
    const given = await hello({ preset: "chat", systemMessage: "Answer like a pirate." });
    expect(given).toMatchObject({ tools: [], system: "Answer like a pirate." });
    expect(given.inputTokens).toBeLessThan(150);
    const none = await hello({ preset: "chat" });
    expect(none).toMatchObject({ tools: [], system: "You are a helpful assistant." });
    expect(none.inputTokens).toBeLessThan(150);
  });

  test("chat reads no instructions from the folders that a coding agent searches", async () => {
    const workingDirectory = mkdtempSync(join(tmpdir(), "copilot-keyless-"));
    writeFileSync(join(workingDirectory, "AGENTS.md"), "Instructions for coding agents");
    const { system } = await hello({ preset: "chat", session: { workingDirectory } });
    expect(system).not.toContain("Instructions for coding agents");
    const coding = await hello({ preset: "coding", session: { workingDirectory } });
    expect(coding.system).toContain("Instructions for coding agents");
  });

  test("what session sets wins", async () => {
    const { tools, system } = await hello({
      preset: "chat",
      session: { availableTools: ["builtin:view"], systemMessage: { mode: "append", content: "Extra" } },
    });
    expect(tools).toEqual(["view"]);
    expect(system).toContain("You are GitHub Copilot");
    expect(system).toContain("Extra");
  });
});

describe("systemMessage", () => {
  test("is appended to the runtime's, or takes its place", async () => {
    const session = { availableTools: [] };
    const appended = await hello({ session, systemMessage: { mode: "append", content: "Last words" } });
    expect(appended.system).toMatch(/^You are GitHub Copilot[\s\S]*Last words/);
    const text = await hello({ session, systemMessage: "Last words" });
    expect(text.system).toMatch(/^You are GitHub Copilot[\s\S]*Last words/);
    const replaced = await hello({ session, systemMessage: { mode: "replace", content: "Only words" } });
    expect(replaced.system).toBe("Only words");
    const chat = await hello({ preset: "chat", systemMessage: { mode: "append", content: "Only words" } });
    expect(chat.system).toBe("Only words");
  });

  test.each([
    { preset: "code" },
    { systemMessage: {} },
    { systemMessage: { content: "x" } },
    { systemMessage: { mode: "prepend", content: "x" } },
    { systemMessage: { mode: "replace" } },
    { systemMessage: { mode: "append", content: 5 } },
    { systemMessage: { mode: "append", content: "x", sections: {} } },
    { systemMessage: ["x"] },
    { session: { systemMessage: "x" } },
    { session: { systemMessage: { mode: "prepend", content: "x" } } },
    { session: { systemMessage: { mode: "replace" } } },
    { session: { tools: {} } },
    { session: { tools: [{}] } },
    { session: { tools: [{ name: "a b" }] } },
  ])("that is wrong is refused at once: %j", (options) => {
    expect(() => new FoundryAgent(options as never)).toThrow(
      expect.objectContaining({ code: "agent/invalid-option", hint: expect.any(String) }),
    );
  });
});
