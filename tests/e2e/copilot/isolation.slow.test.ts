// Conversations are isolated: separate folders, histories that end with their call, and sessions
// that only one conversation can open.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join, relative } from "node:path";
import { approveAll, CopilotClient } from "@github/copilot-sdk";
import { type AgentOptions, FoundryAgent } from "copilot-keyless";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../../support/process.js";
import { emulated, temporaryFolder } from "../support.js";

const told: string[] = [];
const emulator = await emulated({
  reply: ({ prompt, messages, toolResults }) => {
    told.push(...toolResults.map(({ text }) => text));
    const command = /^Run (.*)/.exec(prompt)?.[1];
    if (command === undefined) {
      return `You said: "${prompt}" after ${messages.filter(({ role }) => role === "user").length - 1} others.`;
    }
    if (toolResults.length > 0) return "Done";
    return { toolCalls: [{ name: "bash", arguments: { command, description: "As asked" } }] };
  },
});
const home = temporaryFolder();
const agents: FoundryAgent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));

function agentWith(options: AgentOptions = {}) {
  const agent = new FoundryAgent({
    session: { availableTools: [] },
    client: { baseDirectory: home },
    ...options,
  });
  agents.push(agent);
  return agent;
}

/** Returns the ids of the sessions that have files. */
const sessions = () =>
  existsSync(join(home, "session-state")) ? readdirSync(join(home, "session-state")) : [];

describe("the working directory", () => {
  const shell = { availableTools: ["bash"], onPermissionRequest: approveAll };
  const directoryOf = async (conversation: { chat(prompt: string): Promise<string> }) => {
    told.length = 0;
    await conversation.chat("Run pwd && stat -c %a . && touch left");
    return (told[0] ?? "").split("\n").slice(0, 2) as [string, string];
  };

  test("is a conversation's own: outside the home, for this user alone, and gone with it", async () => {
    const agent = agentWith({ session: shell });
    const [one, other] = [agent.conversation(), agent.conversation()];
    const [directory, mode] = await directoryOf(one);
    const [second] = await directoryOf(other);
    expect(mode).toBe("700");
    expect(second).not.toBe(directory);
    expect(dirname(second)).toBe(dirname(directory));
    expect(relative(home, directory)).toMatch(/^\.\./);
    expect(await directoryOf(one), "the same in the next turn").toEqual([directory, mode]);
    await agent.close();
    await expect.poll(() => [directory, second].filter((path) => existsSync(path))).toEqual([]);
  });

  test("goes with the conversation to another runtime", async () => {
    const agent = agentWith({ session: shell, turnsPerRuntime: 1 });
    const first = await directoryOf(agent);
    expect(await directoryOf(agent)).toEqual(first);
    await agent.close();
  });

  test("is the app's where it sets one, for the client or for sessions", async () => {
    for (const options of [
      { session: { ...shell, workingDirectory: home } },
      { session: shell, client: { baseDirectory: home, workingDirectory: home } },
    ]) {
      const agent = agentWith(options);
      expect((await directoryOf(agent))[0]).toBe(home);
      await agent.close();
    }
  });
});

describe("a session per call", () => {
  test("leaves no history, unless it is told to", async () => {
    const agent = agentWith({ stateless: true });
    const before = sessions();
    await Promise.all([agent.chat("One"), agent.chat("Two")]);
    for await (const _ of agent.stream("Left early")) break;
    await agent.chat("Aborted", { signal: AbortSignal.timeout(150) }).catch(() => {});
    emulator.faults.add({ server: "foundry", kind: "status", status: 404 });
    await agent.chat("Refused").catch(() => {});
    await agent.close();
    // Files that close() cannot delete in time are deleted later.
    await expect.poll(sessions).toEqual(before);

    const closed = agentWith({ stateless: true });
    const calls = Array.from({ length: 30 }, (_, index) => closed.chat(`Cut ${index}`).catch(() => {}));
    await expect.poll(() => sessions().length).toBeGreaterThan(before.length + 10);
    await closed.close();
    await Promise.all(calls);
    await expect.poll(sessions).toEqual(before);

    let kept = before.length;
    for (const options of [
      { stateless: true, deleteHistory: false },
      { sessions: "per-call", keepHistory: true },
    ] as const) {
      const keeping = agentWith(options);
      await keeping.chat("Kept");
      await keeping.close();
      kept += 1;
      expect(sessions()).toHaveLength(kept);
    }
  });
});

describe("a history that is to be deleted", () => {
  test("is, with every conversation of an agent that says so", async () => {
    const before = sessions();
    const agent = agentWith({ deleteHistory: true });
    const [kept, deleted] = [agent.conversation(), agent.conversation()];
    await Promise.all([agent.chat("One"), kept.chat("Two"), deleted.chat("Three")]);
    expect(sessions()).toHaveLength(before.length + 3);
    const id = await kept.sessionId;
    await kept.close({ deleteHistory: false });
    await deleted.close();
    await agent.close();
    await expect.poll(sessions).toEqual([...before, id].sort());
  });

  test("is, although nothing was said since it was taken up; afterwards it is too late to ask", async () => {
    const agent = agentWith();
    const first = agent.conversation();
    await first.chat("Secret");
    const id = await first.sessionId;
    await first.close();
    await expect(first.close({ deleteHistory: true })).rejects.toMatchObject({ code: "agent/closed" });
    expect(sessions()).toContain(id);
    // The deprecated name of the same option.
    await agent.conversation({ resume: id }).close({ forget: true });
    await expect.poll(() => sessions().includes(String(id))).toBe(false);
    await agent.close();
  });
});

describe("one session, one conversation", () => {
  test("two clients of the user's own on one home", async () => {
    const clients = [1, 2].map(() => new CopilotClient({ useLoggedInUser: false, baseDirectory: home }));
    await Promise.all(clients.map((client) => client.start()));
    const [first, second] = clients as [CopilotClient, CopilotClient];
    const mine = agentWith({ client: first });
    await mine.chat("Mine");
    for (const options of [{ client: second }, {}]) {
      const other = agentWith({ ...options, resume: await mine.sessionId });
      await expect(other.chat("Mine, too?")).rejects.toMatchObject({ code: "agent/session-open" });
    }
    await mine.close();
    await Promise.all(clients.map((client) => client.stop()));
  });

  test("two agents on one home: the second is told, until the first has ended", async () => {
    const first = agentWith();
    await first.chat("Mine");
    const resume = await first.sessionId;
    const second = agentWith({ resume });
    await expect(second.chat("Mine, too?")).rejects.toMatchObject({ code: "agent/session-open" });
    expect(await first.chat("Still mine")).toContain("after 1 others");
    await first.close();
    expect(await second.chat("Mine now")).toContain("after 2 others");
    await second.close();
  });

  test("across processes, and a lock that a dead one has left is taken over", async () => {
    const program = `
      import { FoundryAgent } from "copilot-keyless";
      const agent = new FoundryAgent({ session: { availableTools: [] }, client: { baseDirectory: ${JSON.stringify(home)} } });
      await agent.chat("Theirs");
      console.log(await agent.sessionId);
      setInterval(() => {}, 1_000);`;
    const other = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: root,
      env: { ...process.env, ...emulator.env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const resume = await new Promise<string>((resolve) =>
      other.stdout.once("data", (id) => resolve(String(id).trim())),
    );
    const agent = agentWith({ resume });
    await expect(agent.chat("Mine?")).rejects.toMatchObject({ code: "agent/session-open" });
    const ended = new Promise((resolve) => other.once("exit", resolve));
    other.kill("SIGKILL");
    await ended;
    expect(await agent.chat("Mine now")).toContain("after 1 others");
    await agent.close();
  });

  test("a lock of a process that is dead, or of one whose number has come again, holds nobody up", async () => {
    const client = new CopilotClient({ useLoggedInUser: false, baseDirectory: home });
    await client.start();
    const seed = agentWith({ client });
    await seed.chat("Remember this");
    const id = String(await seed.sessionId);
    await seed.close();
    await client.stop();
    const folder = join(home, "copilot-keyless-locks", id);
    const host = `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
    for (const left of [
      { pid: process.pid, host, started: "1" },
      { pid: 2 ** 22 + 1, host },
    ]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "left.json"), JSON.stringify(left));
      const agent = agentWith({ resume: id });
      expect(await agent.chat("Hello")).toContain("Hello");
      const [lock] = readdirSync(folder);
      expect(statSync(join(folder, String(lock))).mode & 0o077, "for this user alone").toBe(0);
      expect(lock).not.toBe("left.json");
      await agent.close();
      expect(existsSync(folder)).toBe(false);
    }
  });
});
