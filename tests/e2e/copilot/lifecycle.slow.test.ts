// Replaces, kills and closes runtimes of conversations at any moment, while callers abort and
// close: no acknowledged turn is lost, no tool runs twice, and no caller waits forever.

import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { approveAll, CopilotClient } from "@github/copilot-sdk";
import { type AgentOptions, FoundryAgent, KeylessError } from "copilot-keyless";
import { expect, test } from "vitest";
import { emulated, killRuntimes, straightCredential, temporaryFolder, tool } from "../support.js";

/** Prompts that reached the model. */
const asked: string[] = [];

const emulator = await emulated({
  chunkDelayMs: 2,
  reply: ({ prompt, messages, toolResults }) => {
    asked.push(prompt);
    if (prompt.startsWith("Use the tool") && toolResults.length === 0) {
      return { toolCalls: [{ name: "note", arguments: {} }] };
    }
    const ids = messages
      .filter(({ role }) => role === "user")
      .flatMap(({ text }) => text.match(/\[\S+\]/g) ?? []);
    return `Heard ${ids.join(" ")} and ${prompt}`;
  },
});
const home = temporaryFolder();

function agentWith(options: AgentOptions = {}) {
  return new FoundryAgent({
    session: { availableTools: [] },
    client: { baseDirectory: home },
    ...options,
  });
}

test("a crowd that aborts while its conversations move from runtime to runtime", {
  timeout: 120_000,
}, async () => {
  await using agent = agentWith({ turnsPerRuntime: 7, timeoutMs: 30_000 });
  const failures: unknown[] = [];
  let [answered, aborted] = [0, 0];
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const conversation = agent.conversation();
      const acknowledged: string[] = [];
      for (let turn = 0; turn < 12; turn += 1) {
        const id = `[${index}-${turn}]`;
        // Sometimes before the turn begins, while the session moves, while the model replies, or
        // never.
        const afterMs = [undefined, undefined, undefined, 0, undefined, 3, 20, 60][
          (index * 5 + turn * 3) % 8
        ];
        const stop = new AbortController();
        const timer = afterMs === undefined ? undefined : setTimeout(() => stop.abort(), afterMs);
        try {
          const reply = await conversation.chat(`${id} hello`, { signal: stop.signal });
          for (const earlier of [...acknowledged, id]) expect(reply).toContain(earlier);
          acknowledged.push(id);
          answered += 1;
        } catch (error) {
          if (stop.signal.aborted) aborted += 1;
          else failures.push(error);
        } finally {
          clearTimeout(timer);
        }
      }
    }),
  );
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(60);
  expect(aborted).toBeGreaterThan(20);
});

test("runtimes that are killed again and again lose no acknowledged turn", { timeout: 120_000 }, async () => {
  await using agent = agentWith({ timeoutMs: 30_000 });
  const TURNS = 8;
  const answered = [0, 0, 0];
  const talk = async (conversation: { chat(prompt: string): Promise<string> }, index: number) => {
    const acknowledged: string[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const id = `[k${index}-${turn}]`;
      const reply = await conversation.chat(`${id} hello`);
      for (const earlier of [...acknowledged, id]) expect(reply).toContain(earlier);
      acknowledged.push(id);
      answered[index] = turn + 1;
    }
  };
  const talking = Promise.all(answered.map((_, index) => talk(agent.conversation(), index)));
  let over = false;
  const killing = (async () => {
    for (let killed = 0; killed < 3 && !over; killed += 1) {
      await sleep(350);
      if (over) return;
      killRuntimes();
      // Not more often than a turn can recover: each conversation gets a reply in between.
      const before = [...answered];
      const isOver = (turns: number, index: number) => turns === TURNS || turns > (before[index] ?? 0);
      while (!over && !answered.every(isOver)) await sleep(20);
    }
  })();
  try {
    await talking;
  } finally {
    over = true;
    await killing;
  }
});

test("a runtime that dies with a request under way is noticed at once", async () => {
  await using agent = agentWith();
  await agent.chat("Warm up");
  for (const afterMs of [0, 2, 8, 30]) {
    const conversation = agent.conversation();
    const began = performance.now();
    const turn = conversation.chat("[flight] hello");
    await sleep(afterMs);
    killRuntimes();
    expect(await turn).toContain("[flight]");
    // A ping or a resume that hangs would take 10 s or more.
    expect(performance.now() - began).toBeLessThan(9_000);
  }
});

test("a history that is temporarily unreadable is kept", async () => {
  await using agent = agentWith({ turnsPerRuntime: 1 });
  await agent.chat("[kept] hello");
  const events = join(home, "session-state", String(await agent.sessionId), "events.jsonl");
  const kept = readFileSync(events);
  rmSync(events);
  mkdirSync(events);
  await expect(agent.chat("[lost] hello")).rejects.toBeInstanceOf(KeylessError);
  rmdirSync(events);
  writeFileSync(events, kept);
  expect(await agent.chat("[after] hello")).toContain("[kept] [after]");
});

test("a client of the user's own that was started again between two turns costs none", async () => {
  const client = new CopilotClient({ useLoggedInUser: false, baseDirectory: home });
  await client.start();
  await using agent = agentWith({ client });
  await agent.chat("[one] hello");
  await client.stop();
  await client.start();
  expect(await agent.chat("[two] hello")).toContain("[one] [two]");
  await agent.close();
  await client.stop();
});

test("a prompt of the same words as one before, whose tool has run, is not taken for that one", async () => {
  let ran = 0;
  const note = tool("note", async () => {
    ran += 1;
    return "noted";
  });
  await using agent = agentWith({
    timeoutMs: 30_000,
    session: { tools: [note], availableTools: ["note"], onPermissionRequest: approveAll },
  });
  await agent.chat("Use the tool");
  for (let round = 0; round < 6; round += 1) {
    const before = ran;
    const turn = agent.chat("Use the tool").catch((error: unknown) => error);
    await sleep(round);
    killRuntimes();
    const outcome = await turn;
    // The turn gets a reply, unless a tool had run before.
    if (typeof outcome !== "string") expect(outcome).toMatchObject({ code: "sdk/runtime-ended" });
    expect(ran - before).toBe(1);
  }
});

test("the session's id resolves or rejects in every case", async () => {
  const agent = agentWith();
  expect(agent.sessionId).toBeUndefined();
  const aborted = agent.chat("Never sent", { signal: AbortSignal.abort() }).catch(() => {});
  const early = Promise.resolve(agent.sessionId).catch(() => {});
  await aborted;
  await early;
  await agent.chat("Hello");
  const id = await agent.sessionId;
  expect(id).toMatch(/^[\w-]{36}$/);
  await agent.close();
  expect(await agent.sessionId).toBe(id);

  const broken = agentWith({ client: { workingDirectory: join(home, "nowhere") } });
  const turn = broken.chat("Hello");
  const unwatched = broken.sessionId;
  await expect(turn).rejects.toMatchObject({ code: "sdk/working-directory" });
  await expect(unwatched).rejects.toMatchObject({ code: "sdk/working-directory" });
  expect(broken.sessionId).toBeUndefined();
  await broken.close();
});

test("a stream that is cut twice repeats no word, and an abandoned one yields none", async () => {
  await using agent = agentWith();
  await agent.chat("Warm up");
  for (const afterEvents of [9, 6])
    emulator.faults.add({ server: "foundry", kind: "cut-stream", afterEvents });
  let text = "";
  const prompt = "one two three four five six seven eight nine ten";
  for await (const piece of agent.stream(prompt)) text += piece;
  expect(text).toContain(prompt);
  expect(text.match(/one/g)).toHaveLength(1);
  const left = agent.stream(prompt);
  await left.next();
  await sleep(100);
  await left.return?.();
  expect(await left.next()).toEqual({ done: true, value: undefined });
});

test("a prompt whose tool has run is not sent again: the turn is told, the next goes on", async () => {
  let ran = 0;
  const note = tool("note", async () => {
    ran += 1;
    killRuntimes();
    return "noted";
  });
  await using agent = agentWith({
    session: { tools: [note], availableTools: ["note"], onPermissionRequest: approveAll },
  });
  await agent.chat("Warm up");
  asked.length = 0;
  await expect(agent.chat("Use the tool")).rejects.toMatchObject({ code: "sdk/runtime-ended" });
  expect(ran).toBe(1);
  expect(asked.filter((prompt) => prompt.startsWith("Use the tool"))).toHaveLength(1);
  expect(await agent.chat("[after] and now?")).toContain("[after]");
  expect(ran).toBe(1);
});

test("a reply that somebody has read a part of does not begin again", async () => {
  await using agent = agentWith();
  await agent.chat("Warm up");
  emulator.faults.add({ server: "foundry", kind: "slow-body", delayMs: 2_000 });
  let text = "";
  const reading = async () => {
    for await (const piece of agent.stream("[read] a reply of quite some words, one two three four five")) {
      if (text === "") killRuntimes();
      text += piece;
    }
  };
  await expect(reading()).rejects.toMatchObject({ code: "sdk/runtime-ended" });
  expect(text.match(/Heard/g)).toHaveLength(1);
  expect(await agent.chat("[after] hello")).toContain("[after]");
});

test("close() right after a reply, and after aborts: under a second, and nothing that was acknowledged is lost", async () => {
  let resume: string | undefined;
  const acknowledged: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const agent = agentWith({ resume });
    const others = [1, 2, 3, 4].map(() => agent.conversation());
    await Promise.all(others.map((one) => one.chat("Warm up")));
    const id = `[c${round}]`;
    const reply = await agent.chat(`${id} hello`);
    for (const earlier of [...acknowledged, id]) expect(reply).toContain(earlier);
    acknowledged.push(id);
    resume = await agent.sessionId;
    const cut = others.map((one) => {
      const stop = new AbortController();
      const turn = one.chat("To be cut", { signal: stop.signal }).catch((error: unknown) => error);
      setTimeout(() => stop.abort(), 10);
      return turn;
    });
    if (round % 2) await Promise.all(cut);
    const began = performance.now();
    await agent.close();
    expect(performance.now() - began).toBeLessThan(1_000);
    await Promise.all(cut);
  }
});

test("a turn that is aborted while the credential hangs holds up neither the next turn nor close()", async () => {
  let hangs = true;
  const straight = straightCredential(emulator);
  const agent = agentWith({
    credential: { getToken: (scopes) => (hangs ? new Promise(() => {}) : straight.getToken(scopes)) },
    tokens: { policy: { waitTimeoutMs: 1_000 } },
  });
  const stop = new AbortController();
  const turn = agent.chat("Anybody there?", { signal: stop.signal }).catch((error: unknown) => error);
  await expect.poll(() => agent.provider.tokens.status.refreshing).toBe(true);
  stop.abort();
  expect(await turn).toMatchObject({ name: "AbortError" });
  await expect.poll(() => agent.provider.tokens.status.refreshing).toBe(false);
  hangs = false;
  expect(await agent.chat("[next] hello", { timeoutMs: 5_000 })).toContain("[next]");

  hangs = true;
  agent.provider.tokens.invalidate(await agent.provider.tokens());
  const left = agent.chat("And now?").catch((error: unknown) => error);
  await expect.poll(() => agent.provider.tokens.status.refreshing).toBe(true);
  const began = performance.now();
  await agent.close();
  expect(performance.now() - began).toBeLessThan(1_000);
  expect(await left).toMatchObject({ code: "agent/closed" });
});
