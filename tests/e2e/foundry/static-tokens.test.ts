// Tests sessions with a fixed token instead of the callback: how they expire, and how to resume
// them.

import { approveAll, CopilotClient, type CopilotSession, type SessionConfig } from "@github/copilot-sdk";
import { createFoundryProvider, type FoundryProvider } from "copilot-keyless";
import type { ReplyRequest } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
// @ts-expect-error: plain Node, without types
import { putClocksForward } from "../../conformance/programs/clocks.mjs";
import { root, run } from "../../support/process.js";
import { denied, emulated, straightCredential, tool } from "../support.js";

const LIFE_MS = 6_000;

const seen: ReplyRequest[] = [];
const emulator = await emulated({
  tokenLifetimeSeconds: LIFE_MS / 1_000,
  platformCache: false,
  reply: (request) => {
    seen.push(request);
    const { prompt, toolResults } = request;
    return prompt === "Use the tool" && toolResults.length === 0
      ? { toolCalls: [{ name: "pause", arguments: {} }] }
      : `Answer to: ${prompt}`;
  },
});
const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
const foundry = provide();
afterAll(() => client.stop());

function provide(): FoundryProvider {
  const credential = straightCredential(emulator);
  const provider = createFoundryProvider({ credential, tokens: { policy: { invalidateIntervalMs: 0 } } });
  afterAll(() => provider.close());
  return provider;
}

async function open(extra: Partial<SessionConfig> = {}): Promise<CopilotSession> {
  const provider = await foundry.staticConfig();
  return client.createSession({ ...denied, ...extra, model: foundry.model, provider });
}

/**
 * Sends a prompt and waits until the session is idle. The SDK would end an earlier prompt with the
 * end of the last turn.
 */
async function ask(session: CopilotSession, prompt: string): Promise<string | undefined> {
  const idle = new Promise((resolve) => session.on("session.idle", resolve));
  try {
    return (await session.sendAndWait({ prompt }))?.data.content;
  } finally {
    await idle;
  }
}

/** Returns the messages of the last model request, without the runtime's additions to prompts. */
function history(): string[] {
  return (seen.at(-1)?.messages ?? [])
    .filter(({ role }) => role !== "system")
    .map(({ role, text }) => `${role}: ${text.split("\n").at(-1)}`);
}

/** Expires all tokens issued so far. */
const expire = () => putClocksForward(LIFE_MS + 1_000);

const tokenIds = (status: number) =>
  emulator.requests
    .filter((request) => request.server === "foundry" && request.status === status)
    .map(({ tokenId }) => tokenId);

test("an expired token fails the turn with its reason; rotate fixes it, and the history is intact", async () => {
  const session = await open();
  const failures: string[] = [];
  foundry.attach(session, ({ code }) => failures.push(code));
  expect(await ask(session, "My name is Ada")).toBe("Answer to: My name is Ada");
  expire();
  const error = await ask(session, "What is my name?").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    name: "KeylessError",
    code: "model/token-expired",
    status: 401,
    hint: /rotate\(session\)/,
  });
  expect(new Set(failures)).toEqual(new Set(["model/token-expired"]));
  await foundry.rotate(session);
  expect(await ask(session, "And now?")).toBe("Answer to: And now?");
  expect(history()).toEqual([
    "user: My name is Ada",
    "assistant: Answer to: My name is Ada",
    "user: What is my name?",
    "user: And now?",
  ]);
});

test("a revoked token is forgotten when the session is watched, so that rotate brings another", async () => {
  const session = await open();
  foundry.attach(session);
  await ask(session, "Before");
  emulator.revokeTokens();
  await expect(ask(session, "Revoked")).rejects.toMatchObject({ code: "model/token-invalid" });
  await foundry.rotate(session);
  expect(await ask(session, "After")).toBe("Answer to: After");
});

test("another process resumes the session after the token's end, with its history", async () => {
  const session = await open();
  await ask(session, "My name is Grace");
  await session.disconnect();
  expire();
  const env = process.env as Record<string, string>;
  const program = `${root}tests/e2e/programs/resume.mjs`;
  const bare = await run(process.execPath, [program, session.sessionId, "Who am I?", "without"], { env });
  expect(bare.stdout).toContain("failed: ");
  const resumed = await run(process.execPath, [program, session.sessionId, "Who am I?"], { env });
  expect(resumed).toMatchObject({ stdout: "Answer to: Who am I?\n", stderr: "", code: 0 });
  expect(history()).toEqual(
    expect.arrayContaining(["user: My name is Grace", "assistant: Answer to: My name is Grace"]),
  );
});

test("a rotation while a turn is running leaves it alone, and counts from the next turn on", async () => {
  const pause = tool("pause", async () => {
    foundry.tokens.invalidate();
    await foundry.rotate(session);
    return "waited";
  });
  const session: CopilotSession = await open({
    availableTools: ["pause"],
    tools: [pause],
    onPermissionRequest: approveAll,
  });
  const before = tokenIds(200).length;
  expect(await ask(session, "Use the tool")).toBe("Answer to: Use the tool");
  expect(await ask(session, "Next")).toBe("Answer to: Next");
  const [first, second, third, ...more] = tokenIds(200).slice(before);
  expect([second === first, third === first, more]).toEqual([true, false, []]);
  expect(history()).toContain("tool: waited");
});

test("a session with the callback is left alone: its tokens go on being fresh", async () => {
  const session = await client.createSession(foundry.sessionConfig(denied));
  await ask(session, "Before");
  await foundry.rotate(session);
  expire();
  const { unauthorized } = emulator.counts;
  expect(await ask(session, "After")).toBe("Answer to: After");
  expect(emulator.counts.unauthorized).toBe(unauthorized);
});

test("a closed provider and a missing session are reported", async () => {
  const session = await open();
  const closed = provide();
  closed.close();
  await expect(closed.rotate(session)).rejects.toMatchObject({ code: "token/closed", hint: /new one/ });
  expect(await ask(session, "Still here")).toBe("Answer to: Still here");
  await session.disconnect();
  await expect(foundry.rotate(session)).rejects.toMatchObject({
    name: "KeylessError",
    code: "sdk/rotate-failed",
    hint: /sessionConfig/,
  });
});
