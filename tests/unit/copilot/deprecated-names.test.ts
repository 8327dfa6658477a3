// The deprecated names of options and exports still work, and must not contradict the new ones.

import { createFoundryProvider, FoundryAgent, ManagedIdentityCopilotAgent } from "copilot-keyless";
import { expect, test } from "vitest";

const credential = { getToken: async () => null };
const base = { endpoint: "myres.openai.azure.com", credential, env: {} };
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: "agent/invalid-option", message: expect.stringMatching(message) });

test("the agent has one class under two names", () => {
  expect(ManagedIdentityCopilotAgent).toBe(FoundryAgent);
  const agent: FoundryAgent = new ManagedIdentityCopilotAgent(base);
  expect(agent).toBeInstanceOf(FoundryAgent);
});

test.each([
  [{ stateless: true, sessions: "per-call" }, /stateless and sessions exclude each other/],
  [{ stateless: false, sessions: "reuse" }, /stateless and sessions/],
  [{ deleteHistory: true, keepHistory: true }, /deleteHistory and keepHistory/],
  [{ sessions: "per-call", resume: "id" }, /resume does not go with stateless/],
  [{ stateless: true, resume: "id" }, /resume does not go with stateless/],
  [
    { systemMessage: "Be brief", session: { systemMessage: { mode: "replace", content: "Be long" } } },
    /systemMessage and session\.systemMessage exclude each other/,
  ],
] as const)("contradictions are refused: %o", (options, message) => {
  expect(() => new FoundryAgent({ ...base, ...options })).toThrow(refusal(message));
});

test.each([
  { sessions: "per-call", keepHistory: true },
  { sessions: "per-call", deleteHistory: false },
  { stateless: true, keepHistory: false },
  { sessions: "reuse", resume: "id" },
] as const)("old names work alone: %o", async (options) => {
  await using agent = new FoundryAgent({ ...base, ...options });
  expect(agent.sessionId).toBeUndefined();
});

test("a conversation refuses both names of an option of close", async () => {
  await using agent = new FoundryAgent(base);
  const conversation = agent.conversation();
  await expect(conversation.close({ forget: true, deleteHistory: true })).rejects.toEqual(
    refusal(/deleteHistory and forget exclude each other/),
  );
  await conversation.close({ forget: true });
});

test("a provider has its methods under both names", () => {
  using foundry = createFoundryProvider(base);
  expect(foundry.watch).toBe(foundry.attach);
  expect(foundry.resumeConfig).toBe(foundry.sessionConfig);
});
