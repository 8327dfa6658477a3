// Tests the agent's sessions with the real runtime: many conversations, resumed ones, one per call,
// a replaced runtime; tool loops with a revoked token; turns that know the resource's Retry-After.

import { CopilotClient, type CopilotSession, defineTool, type SessionEvent } from "@github/copilot-sdk";
import { FoundryAgent, KeylessError } from "copilot-keyless";
import { afterAll, describe, expect, test } from "vitest";
import { emulated, runtimes, straightCredential } from "../support.js";

/** How often the emulated model calls a tool before it replies. */
let toolCalls = 0;
/** Runs before each reply of the emulated model. */
let beforeReply: (turn: number) => void = () => {};

const emulator = await emulated({
  platformCache: false,
  reply: ({ prompt, messages, toolResults, turn }) => {
    beforeReply(turn);
    if (prompt === "Delegate" && toolResults.length === 0) {
      const task = {
        agent_type: "helper",
        name: "helper",
        description: "d",
        prompt: "Help me",
        mode: "sync",
      };
      return { toolCalls: [{ name: "task", arguments: task }] };
    }
    if (toolResults.length < toolCalls)
      return { toolCalls: [{ name: "count", arguments: { n: toolResults.length } }] };
    const before = messages.filter(({ role, text }) => role === "user" && !text.includes(prompt)).length;
    return `You said: "${prompt}" after ${before} other messages and ${toolResults.length} calls.`;
  },
});
const agents: FoundryAgent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));

function agentWith(options: ConstructorParameters<typeof FoundryAgent>[0] = {}) {
  const agent = new FoundryAgent({ session: { availableTools: [] }, ...options });
  agents.push(agent);
  return agent;
}

/** Creates a client as a user would. */
async function startedClient(): Promise<CopilotClient> {
  const client = new CopilotClient({ useLoggedInUser: false });
  await client.start();
  afterAll(() => client.stop());
  return client;
}

describe("conversations", () => {
  test("side by side, each with its own history, on one runtime and one token", async () => {
    const before = { ...emulator.counts };
    const running = runtimes().length;
    const agent = agentWith();
    const conversations = Array.from({ length: 5 }, () => agent.conversation());
    for (const round of [1, 2]) {
      const replies = await Promise.all(
        conversations.map((conversation, index) => conversation.chat(`Round ${round} of ${index}`)),
      );
      for (const [index, reply] of replies.entries())
        expect(reply).toBe(
          `You said: "Round ${round} of ${index}" after ${round - 1} other messages and 0 calls.`,
        );
    }
    const ids = await Promise.all(conversations.map(({ sessionId }) => sessionId));
    expect(new Set(ids).size).toBe(5);
    expect(runtimes().length).toBe(running + 1);
    expect(emulator.counts.identity - before.identity).toBe(1);
    await agent.close();
    await expect(conversations[0]?.chat("Closed?")).rejects.toMatchObject({ code: "agent/closed" });
    expect(() => agent.conversation()).toThrow(expect.objectContaining({ code: "agent/closed" }));
  });

  test("one is taken up again by its id, by another agent, history and all", async () => {
    const agent = agentWith();
    await agent.chat("Remember this");
    const id = await agent.sessionId;
    await agent.close();
    const later = agentWith({ resume: id });
    expect(await later.chat("What was it?")).toContain("after 1 other messages");
    expect(await later.sessionId).toBe(id);
    await using again = later.conversation();
    expect(await again.chat("And here?")).toContain("after 0 other messages");
  });

  test("a missing session is reported as such, and the next turn starts a new one", async () => {
    const agent = agentWith();
    const conversation = agent.conversation({ resume: "00000000-0000-4000-8000-000000000000" });
    const error = await conversation.chat("Hello?").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "sdk/session-not-found",
      hint: expect.stringContaining("COPILOT_HOME"),
    });
    expect(await agent.chat("Hello!")).toContain("Hello!");
  });

  test("a session that another conversation holds open is refused, and nobody is harmed", async () => {
    const agent = agentWith();
    await agent.chat("Remember this");
    const id = await agent.sessionId;
    const asked = emulator.counts.foundry;
    const second = agent.conversation({ resume: id });
    await expect(second.chat("Mine?")).rejects.toMatchObject({
      code: "agent/session-open",
      message: expect.stringContaining(String(id)),
      hint: expect.stringContaining("close it first"),
    });
    expect(emulator.counts.foundry).toBe(asked);
    await second.close();
    expect(await agent.chat("Still mine?")).toContain("after 1 other messages");

    const holder = agent.conversation();
    await holder.chat("To be handed over");
    const handed = agent.conversation({ resume: await holder.sessionId });
    await expect(handed.chat("Now?")).rejects.toMatchObject({ code: "agent/session-open" });
    await holder.close();
    expect(await handed.chat("And now?")).toContain("after 1 other messages");
  });

  test("two agents on one client know what the other holds open", async () => {
    const client = await startedClient();
    const [one, other] = [agentWith({ client }), agentWith({ client })];
    await one.chat("Remember this");
    const second = other.conversation({ resume: await one.sessionId });
    await expect(second.chat("Mine?")).rejects.toMatchObject({ code: "agent/session-open" });
    await one.close();
    expect(await second.chat("Mine now?")).toContain("after 1 other messages");
  });

  test("a session that others ended is resumed within the turn; a deleted one is reported", async () => {
    const client = await startedClient();
    const agent = agentWith({ client });
    await agent.chat("Remember this");
    const id = String(await agent.sessionId);
    const ended = await client.resumeSession(id, agent.provider.sessionConfig({ availableTools: [] }));
    await ended.disconnect();
    expect(await agent.chat("Back?")).toContain("after 1 other messages");
    expect(await agent.sessionId).toBe(id);

    await client.deleteSession(id);
    await expect(agent.chat("Gone?")).rejects.toMatchObject({ code: "sdk/session-not-found" });
    expect(await agent.chat("Anew?")).toContain("after 0 other messages");
    expect(await agent.sessionId).not.toBe(id);
    await agent.close();
  });

  test("a session that comes after close() has given up on it is ended", async () => {
    const before = new Set(runtimes());
    const client = await startedClient();
    const [runtime] = runtimes().filter((pid) => !before.has(pid)) as [number];
    const created = new Promise<CopilotSession>((resolve) => {
      const create = client.createSession.bind(client);
      client.createSession = async (config) => {
        const session = await create(config);
        resolve(session);
        return session;
      };
    });
    const agent = agentWith({ client });
    process.kill(runtime, "SIGSTOP");
    const turn = agent.chat("Too late").catch((error: unknown) => error);
    await new Promise((next) => setTimeout(next, 200));
    await agent.close();
    expect(await turn).toMatchObject({ code: "agent/closed" });
    process.kill(runtime, "SIGCONT");
    const late = await created;
    await expect
      .poll(() => late.send({ prompt: "Anybody there?" }).then(() => "there", String))
      .toContain("Session not found");
    expect(Object.hasOwn(late, "sendAndWait")).toBe(false);
  });

  test("closing one while it speaks leaves the others alone", async () => {
    const agent = agentWith();
    const [one, other] = [agent.conversation(), agent.conversation()];
    await Promise.all([one.chat("Warm"), other.chat("Warm")]);
    const slow = emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 1_000, times: 2 });
    const [cut, kept] = [one.chat("To be cut"), other.chat("To be kept")];
    cut.catch(() => {});
    await new Promise((next) => setTimeout(next, 200));
    await one.close();
    await expect(cut).rejects.toMatchObject({ code: "agent/closed" });
    expect(await kept).toContain("To be kept");
    slow.remove();
  });

  test("options that cannot be", () => {
    for (const options of [
      { sessions: "each" },
      { stateless: true, resume: "x" },
      { sessionsPerRuntime: 0 },
      { sessionsPerRuntime: 1.5 },
      { turnsPerRuntime: 0 },
      { resume: "" },
      { timeoutMs: 0 },
    ]) {
      expect(() => agentWith(options as never), JSON.stringify(options)).toThrow(
        expect.objectContaining({ code: "agent/invalid-option", hint: expect.any(String) }),
      );
    }
  });
});

describe("a runtime that has served many turns", () => {
  test("is replaced before the next one, and the conversations move, with all that was said", async () => {
    const before = new Set(runtimes());
    const seen = new Set<number>();
    const agent = agentWith({ turnsPerRuntime: 4 });
    const other = agent.conversation();
    for (let round = 0; round < 6; round += 1) {
      for (const [name, conversation] of Object.entries({ agent, other })) {
        expect(await conversation.chat(`Round ${round} of ${name}`)).toBe(
          `You said: "Round ${round} of ${name}" after ${round} other messages and 0 calls.`,
        );
      }
      const own = runtimes().filter((pid) => !before.has(pid));
      expect(own.length).toBeLessThanOrEqual(2);
      for (const pid of own) seen.add(pid);
    }
    expect(seen.size).toBe(3);
    await agent.close();
    await expect.poll(() => runtimes().filter((pid) => !before.has(pid))).toEqual([]);
  });
});

describe("a session per call", () => {
  test("calls run side by side and know nothing of each other", async () => {
    const agent = agentWith({ stateless: true });
    const replies = await Promise.all(Array.from({ length: 10 }, (_, index) => agent.chat(`Call ${index}`)));
    for (const [index, reply] of replies.entries())
      expect(reply).toBe(`You said: "Call ${index}" after 0 other messages and 0 calls.`);
    let text = "";
    for await (const piece of agent.stream("Streamed")) text += piece;
    expect(text).toContain('"Streamed" after 0 other');
    expect(agent.sessionId).toBeUndefined();
  });

  test("a runtime is replaced after so many sessions, and ends with its last one", async () => {
    const before = new Set(runtimes());
    const seen = new Set<number>();
    let most = 0;
    const agent = agentWith({ stateless: true, sessionsPerRuntime: 5 });
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(
        Array.from({ length: 4 }, async (_, index) => {
          expect(await agent.chat(`Call ${round}/${index}`)).toContain(`Call ${round}/${index}`);
          const own = runtimes().filter((pid) => !before.has(pid));
          most = Math.max(most, own.length);
          for (const pid of own) seen.add(pid);
        }),
      );
    }
    expect(seen.size).toBeGreaterThanOrEqual(4);
    expect(seen.size).toBeLessThanOrEqual(8);
    expect(most).toBeLessThanOrEqual(3);
    await agent.close();
    await expect.poll(() => runtimes().filter((pid) => !before.has(pid))).toEqual([]);
  });

  test("the loop left early, and an error, end their sessions too", async () => {
    const before = runtimes().length;
    const agent = agentWith({ stateless: true, sessionsPerRuntime: 1 });
    for await (const _piece of agent.stream("Enough")) break;
    emulator.faults.add({ server: "foundry", kind: "status", status: 404 });
    await expect(agent.chat("Not found")).rejects.toMatchObject({ code: "model/wrong-path" });
    emulator.faults.add({ server: "foundry", kind: "status", status: 404 });
    await expect(async () => {
      for await (const _piece of agent.stream("Not found"));
    }).rejects.toMatchObject({ code: "model/wrong-path" });
    await expect.poll(() => runtimes().length).toBe(before);
  });
});

test("an unread stream ends its session with its turn, and can still be read", async () => {
  const before = runtimes().length;
  const agent = agentWith({ stateless: true, sessionsPerRuntime: 1 });
  const streams = [1, 2, 3].map((index) => agent.stream(`Unread ${index}`));
  const first = await streams[0]?.next();
  expect(() => agent.stream(" ")).toThrow(expect.objectContaining({ code: "agent/empty-prompt" }));
  await expect.poll(() => runtimes().length, { timeout: 20_000 }).toBe(before);
  let text = String(first?.value);
  for await (const piece of streams[0] ?? []) text += piece;
  expect(text).toBe('You said: "Unread 1" after 0 other messages and 0 calls.');
  let other = "";
  for await (const piece of streams[1] ?? []) other += piece;
  expect(other).toBe('You said: "Unread 2" after 0 other messages and 0 calls.');
});

describe("a resource that asks to wait", () => {
  test("a turn that has less time than that ends at once, and says how long", async () => {
    const agent = agentWith({ timeoutMs: 30_000 });
    await agent.chat("Warm up");
    const limit = emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 429,
      headers: { "retry-after": "60" },
      body: { error: { code: "429", message: "Too many. Please retry after 60 seconds." } },
      times: Infinity,
    });
    const error = await agent.chat("Hello").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KeylessError);
    expect(error).toMatchObject({ code: "model/rate-limited", status: 429, retryAfterMs: 60_000 });
    expect(limit.hits).toBe(1);
    limit.remove();
    expect(await agent.chat("And now?")).toContain("And now?");
  });

  test("one that has the time waits", async () => {
    const agent = agentWith();
    emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 429,
      headers: { "retry-after": "1" },
      body: { error: { code: "429", message: "Too many. Please retry after 1 seconds." } },
    });
    expect(await agent.chat("Patience")).toContain("Patience");
  });

  test("a turn that times out reports the failure before", async () => {
    const agent = agentWith({ timeoutMs: 2_500 });
    await agent.chat("Warm up", { timeoutMs: 40_000 });
    const broken = emulator.faults.add({ server: "foundry", kind: "status", status: 500, times: Infinity });
    const error = await agent.chat("Hello").catch((thrown: unknown) => thrown);
    broken.remove();
    expect(error).toMatchObject({
      code: "model/server-error",
      message: expect.stringMatching(/^The turn took longer than 2500 ms\..*HTTP 500/),
      cause: expect.objectContaining({ code: "model/server-error" }),
    });
  });
});

test("a credential that hangs: a typed error in its time, and a session that works afterwards", async () => {
  const straight = straightCredential(emulator);
  let hangs = true;
  const agent = agentWith({
    credential: { getToken: (scopes) => (hangs ? new Promise(() => {}) : straight.getToken(scopes)) },
    tokens: { policy: { waitTimeoutMs: 1_000 } },
  });
  await expect(agent.chat("Anybody there?")).rejects.toMatchObject({ code: "token/timeout" });
  hangs = false;
  expect(await agent.chat("And now?")).toContain("And now?");
});

test("failure and immediate retry, 20 times: no reply is ever lost, none is undefined", async () => {
  const agent = agentWith();
  for (let round = 0; round < 20; round += 1) {
    emulator.faults.add({ server: "foundry", kind: "status", status: round % 2 ? 404 : 400 });
    await expect(agent.chat("To fail")).rejects.toBeInstanceOf(KeylessError);
    expect(await agent.chat(`Round ${round}`)).toContain(`Round ${round}`);
  }
});

// Last, because MSAL still returns a revoked token.
describe("a tool loop", () => {
  const count = defineTool("count", {
    description: "Counts",
    parameters: { type: "object", properties: { n: { type: "number" } } },
    handler: ({ n }: { n: number }) => `counted ${n}`,
  });
  const looping = () =>
    agentWith({
      credential: straightCredential(emulator),
      session: {
        tools: [count],
        availableTools: ["count"],
        onPermissionRequest: () => ({ kind: "approve-once" }),
      },
    });

  test("goes on through a token that is revoked in its middle, with one more identity request", async () => {
    const agent = looping();
    await agent.chat("Warm up");
    toolCalls = 10;
    beforeReply = (turn) => {
      // The token is valid for this request, but not for the next one.
      if (turn === 6) emulator.revokeTokens();
    };
    const before = { ...emulator.counts };
    const events: SessionEvent["type"][] = [];
    const reply = await agent.chat("Count to ten", { onEvent: ({ type }) => events.push(type) });
    toolCalls = 0;
    beforeReply = () => {};
    expect(reply).toBe('You said: "Count to ten" after 1 other messages and 10 calls.');
    expect(emulator.counts.unauthorized - before.unauthorized).toBe(1);
    expect(emulator.counts.identity - before.identity).toBe(1);
    // Ten tool calls, the reply, and the rejected request.
    expect(emulator.counts.foundry - before.foundry).toBe(12);
    expect(events.filter((type) => type === "tool.execution_start")).toHaveLength(10);
    expect(events.filter((type) => type === "tool.execution_complete")).toHaveLength(10);
  });

  test("a listener that throws does not cost the reply", async () => {
    const agent = looping();
    const reply = await agent.chat("Still there?", {
      onEvent: () => {
        throw new Error("the listener's own trouble");
      },
    });
    expect(reply).toContain("Still there?");
  });
});

test("a sub-agent whose token is revoked as it starts goes on with a new one", async () => {
  const agent = agentWith({
    credential: straightCredential(emulator),
    session: {
      customAgents: [{ name: "helper", description: "Helps", prompt: "You help." }],
      onPermissionRequest: () => ({ kind: "approve-once" }),
    },
  });
  await agent.chat("Warm up");
  const before = { ...emulator.counts };
  let revoked = 0;
  beforeReply = () => {
    if (revoked === 0) revoked = emulator.revokeTokens();
  };
  const events: SessionEvent[] = [];
  const reply = await agent.chat("Delegate", { onEvent: (event) => events.push(event) });
  beforeReply = () => {};
  expect(reply).toContain('"Delegate" after');
  const failures = events.filter(({ type }) => type === "model.call_failure");
  expect(failures, "the sub-agent's request was refused, once").toHaveLength(1);
  expect(failures[0]?.agentId).toBeDefined();
  expect(events.find(({ type }) => type === "subagent.completed")?.agentId).toBe(failures[0]?.agentId);
  expect(emulator.counts.unauthorized - before.unauthorized).toBe(1);
  expect(emulator.counts.identity - before.identity).toBe(1);
});
