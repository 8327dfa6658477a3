// Tests conversations with the real @azure/identity, Copilot SDK and runtime. The emulator replaces
// Azure.

import { FoundryAgent } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { emulated, killRuntimes } from "../support.js";

/** How many replies of the model each request contained. */
const turns: number[] = [];

const emulator = await emulated({
  reply: ({ prompt, turn }) => {
    turns.push(turn);
    return `You said: "${prompt}", and this is a reply of several words.`;
  },
});
const agent = new FoundryAgent();
afterAll(() => agent.close());

test("two turns, one identity request, and the token reaches the resource as it was given", async () => {
  const handedOut: string[] = [];
  const provide = agent.provider.config.bearerTokenProvider;
  expect(provide).toBeTypeOf("function");

  const first = await agent.chat("What is your name?");
  handedOut.push(await agent.provider.tokens());
  const pieces: string[] = [];
  for await (const piece of agent.stream("What did I ask first?")) pieces.push(piece);
  handedOut.push(await agent.provider.tokens());

  expect(first).toContain("What is your name?");
  expect(pieces.length).toBeGreaterThan(3);
  expect(pieces.join("")).toContain("What did I ask first?");

  const identity = emulator.requests.filter(({ server }) => server === "identity");
  const foundry = emulator.requests.filter(({ server }) => server === "foundry");
  expect(identity).toHaveLength(1);
  expect(foundry.map(({ path, status }) => [path, status])).toEqual([
    ["/v1/responses", 200],
    ["/v1/responses", 200],
  ]);
  // The emulator verified signature, audience and expiry, and identifies the token by its id.
  expect(new Set(foundry.map(({ tokenId }) => tokenId))).toEqual(new Set([identity[0]?.tokenId]));
  for (const token of handedOut) {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(claims.uti).toBe(identity[0]?.tokenId);
  }
  expect(emulator.counts.unauthorized).toBe(0);
});

test("a later turn carries the conversation so far", async () => {
  await agent.chat("And now?");
  expect(turns.at(-1)).toBe(2);
  expect(agent.provider.tokens.status.state).toBe("fresh");
});

test("turns at the same time run one after another", async () => {
  const replies = await Promise.all(["one", "two", "three"].map((word) => agent.chat(`Say ${word}`)));
  expect(replies.map((reply) => /Say (\w+)/.exec(reply)?.[1])).toEqual(["one", "two", "three"]);
});

// Before the prompt is sent, while it is sent, during the model request, and during the reply.
test.each([0, 1, 5, 20, 50, 100, 300])(
  "a turn aborted after %i ms rejects, and the next one works",
  async (ms) => {
    const slow = emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 5_000 });
    const stop = new AbortController();
    const aborted = agent.chat("Too slow", { signal: stop.signal });
    setTimeout(() => stop.abort(), ms);
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    slow.remove();
    expect(await agent.chat(`Still there after ${ms} ms?`)).toContain(`Still there after ${ms} ms?`);
  },
);

test("failure and immediate retry, again and again: no reply is ever lost", async () => {
  for (let round = 0; round < 10; round += 1) {
    emulator.faults.add({ server: "foundry", kind: "status", status: 404 });
    await expect(agent.chat("Not found")).rejects.toMatchObject({
      code: "model/wrong-path",
      status: 404,
    });
    expect(await agent.chat(`Round ${round}`)).toContain(`Round ${round}`);
  }
});

test("a refusal of the resource comes with its status and Azure's words", async () => {
  emulator.foundry.setRoles([]);
  await expect(agent.chat("Am I allowed?")).rejects.toMatchObject({
    name: "KeylessError",
    code: "model/missing-role",
    status: 401,
    message: expect.stringContaining("lacks the required data action"),
    hint: expect.stringContaining("role"),
  });
  emulator.foundry.setRoles(["Foundry User"]);
  expect(await agent.chat("And now?")).toContain("And now?");
});

test("a runtime that is killed is replaced within the turn, and the conversation goes on where it was", async () => {
  const answered = turns.at(-1) as number;
  const before = await agent.sessionId;
  const slow = emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 30_000 });
  const cut = agent.chat("Cut off");
  await new Promise((next) => setTimeout(next, 200));
  killRuntimes();
  slow.remove();
  expect(await cut).toContain("Cut off");
  expect(await agent.chat("Where were we?")).toContain("Where were we?");
  expect(await agent.sessionId).toBe(before);
  expect(turns.at(-1)).toBeGreaterThanOrEqual(answered);
  expect(emulator.counts.identity).toBe(1);
});

test("an empty prompt and a closed agent are refused", async () => {
  await expect(agent.chat("  ")).rejects.toMatchObject({ code: "agent/empty-prompt" });
  const other = new FoundryAgent();
  await other.close();
  await expect(other.chat("Hello")).rejects.toMatchObject({ code: "agent/closed" });
});
