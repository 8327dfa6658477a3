// Tests with the real runtime how idle conversations end by themselves: they leave the runtime, and
// the next turn goes on with everything that was said.

import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Conversation } from "copilot-keyless";
import { type AgentOptions, FoundryAgent } from "copilot-keyless";
import { afterAll, expect, test, vi } from "vitest";
import { emulated, killRuntimes } from "../support.js";

/** Two steps of the model's answer to "Wait": it was asked, and may answer. */
const [asked, answered] = [gate(), gate()];
await emulated({
  reply: async ({ prompt, messages }) => {
    if (prompt.includes("Wait")) {
      asked.open();
      await answered.opened;
    }
    return `Message ${messages.filter(({ role }) => role === "user").length}`;
  },
});

function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const agents: FoundryAgent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));

function chatAgent(options: AgentOptions): FoundryAgent {
  const agent = new FoundryAgent({ preset: "chat", timeoutMs: 30_000, ...options });
  agents.push(agent);
  return agent;
}

/** Whether a conversation holds its session: the lock and the working directory. */
function isOpen({ id }: Conversation): boolean {
  return existsSync(join(String(process.env.COPILOT_HOME), "copilot-keyless-locks", id));
}

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("copilot-keyless-work-"));
const ended = (conversation: Conversation) => vi.waitUntil(() => !isOpen(conversation), 10_000);

test("a conversation that is idle for long enough ends, and its next turn resumes it", async () => {
  const agent = chatAgent({ idleMs: 100 });
  const before = folders();
  const conversation = agent.conversation();
  const { id } = conversation;
  for (const message of ["Message 1", "Message 2", "Message 3"]) {
    expect(await conversation.chat("Hello")).toBe(message);
    await ended(conversation);
    await vi.waitUntil(() => folders().length <= before.length, 10_000);
  }
  expect([conversation.id, await conversation.sessionId]).toEqual([id, id]);
});

test("nothing ends by default", async () => {
  const agent = chatAgent({});
  const conversations = [agent.conversation(), agent.conversation(), agent.conversation()];
  for (const conversation of conversations) await conversation.chat("Hello");
  expect(conversations.map(isOpen)).toEqual([true, true, true]);
});

test("a running turn never ends by it, nor do turns that wait", async () => {
  const conversation = chatAgent({ idleMs: 50 }).conversation();
  const [first, second] = [conversation.chat("Wait"), conversation.chat("Next")];
  await asked.opened;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(isOpen(conversation)).toBe(true);
  answered.open();
  expect([await first, await second]).toEqual(["Message 1", "Message 2"]);
  await ended(conversation);
});

test("of too many the one that was used least recently ends, also the agent's own", async () => {
  const agent = chatAgent({ maxConversations: 2 });
  const [a, b] = [agent.conversation(), agent.conversation()];
  await agent.chat("Hello");
  await a.chat("Hello");
  await b.chat("Hello");
  await vi.waitUntil(
    async () =>
      !existsSync(
        join(String(process.env.COPILOT_HOME), "copilot-keyless-locks", String(await agent.sessionId)),
      ),
    10_000,
  );
  expect([isOpen(a), isOpen(b)]).toEqual([true, true]);
  expect(await agent.chat("Still there?")).toBe("Message 2");
  await ended(a);
  expect(await a.chat("And you?")).toBe("Message 2");
  await ended(b);
});

test("a turn that comes at once after the end goes on, whatever the end is doing", async () => {
  const agent = chatAgent({ maxConversations: 1 });
  const [a, b] = [agent.conversation(), agent.conversation()];
  for (let round = 1; round <= 5; round += 1) {
    const replies = await Promise.all([a.chat("Hello"), b.chat("Hello")]);
    expect(replies).toEqual([`Message ${round}`, `Message ${round}`]);
  }
});

test("one that has ended is free for others, and tells if another has it open", async () => {
  const [agent, other] = [chatAgent({ idleMs: 50 }), chatAgent({})];
  const conversation = agent.conversation();
  await conversation.chat("Hello");
  await ended(conversation);
  const resumed = other.conversation({ resume: conversation.id });
  expect(await resumed.chat("Mine")).toBe("Message 2");
  await expect(conversation.chat("Mine?")).rejects.toMatchObject({ code: "agent/session-open" });
  await resumed.close();
  expect(await conversation.chat("Again")).toBe("Message 3");
});

test("one whose first turn failed begins anew under its id", async () => {
  const conversation = chatAgent({ idleMs: 50 }).conversation({ id: "order-1" });
  await expect(conversation.chat("Hello", { timeoutMs: 1 })).rejects.toMatchObject({ code: "agent/timeout" });
  await ended(conversation);
  expect(await conversation.chat("Hello")).toMatch(/^Message/);
  expect(conversation.id).toBe("order-1");
});

test("where the history is deleted, the next turn says so, and the files are gone", async () => {
  const conversation = chatAgent({ idleMs: 50, deleteHistory: true }).conversation();
  await conversation.chat("Hello");
  await ended(conversation);
  await expect(conversation.chat("Still there?")).rejects.toMatchObject({
    code: "agent/closed",
    message: expect.stringContaining("was idle"),
    hint: expect.stringContaining("deleteHistory"),
  });
  const files = join(String(process.env.COPILOT_HOME), "session-state", conversation.id);
  await vi.waitUntil(() => !existsSync(files), 10_000);
});

test("one that has ended can be closed, deleted, and survives the runtime's death", async () => {
  const agent = chatAgent({ idleMs: 50 });
  const [a, b] = [agent.conversation(), agent.conversation()];
  await a.chat("Hello");
  await b.chat("Hello");
  await Promise.all([ended(a), ended(b)]);
  killRuntimes();
  expect(await a.chat("Hello again")).toBe("Message 2");
  await ended(a);
  await a.close({ deleteHistory: true });
  expect(existsSync(join(String(process.env.COPILOT_HOME), "session-state", a.id))).toBe(false);
  await expect(a.chat("Hello")).rejects.toMatchObject({ code: "agent/closed" });
  await agent.close();
  await expect(b.chat("Hello")).rejects.toMatchObject({ code: "agent/closed" });
});

test.each([
  { idleMs: 0 },
  { idleMs: -1 },
  { idleMs: Number.NaN },
  { idleMs: 2 ** 31 },
  { maxConversations: 0 },
  { maxConversations: 1.5 },
])("limits that cannot be are refused: %j", (options) => {
  expect(() => chatAgent(options)).toThrow(
    expect.objectContaining({
      code: "agent/invalid-option",
      message: expect.stringContaining(Object.keys(options)[0] ?? ""),
    }),
  );
});
