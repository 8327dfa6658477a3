// A runtime hangs or dies, or a stream breaks: every turn ends, and the next one works.

import { inspect } from "node:util";
import { ManagedIdentityCredential } from "@azure/identity";
import { CopilotClient } from "@github/copilot-sdk";
import { createFoundryProvider, FoundryAgent } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { environmentOf } from "../../support/processes.mjs";
import { denied, emulated, runtimes, straightCredential } from "../support.js";

const emulator = await emulated({
  platformCache: false,
  reply: ({ prompt }) => `You said: "${prompt}", in a reply of quite some words.`,
});
const agents: FoundryAgent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));

function agentWith(options: ConstructorParameters<typeof FoundryAgent>[0] = {}) {
  const agent = new FoundryAgent({ session: { availableTools: [] }, ...options });
  agents.push(agent);
  return agent;
}

test("a cut stream is requested again, without repeated words", async () => {
  const agent = agentWith();
  emulator.faults.add({ server: "foundry", kind: "cut-stream", afterEvents: 9 });
  let text = "";
  for await (const piece of agent.stream("one two three")) text += piece;
  expect(text).toBe('You said: "one two three", in a reply of quite some words.');
});

test("leaving a stream while nothing has come yet aborts the turn at once", async () => {
  const agent = agentWith();
  await agent.chat("Warm up");
  const slow = emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 20_000 });
  const texts = agent.stream("Too slow");
  const pending = texts.next();
  await new Promise((next) => setTimeout(next, 200));
  await texts.return?.();
  expect(await pending).toEqual({ done: true, value: undefined });
  slow.remove();
  expect(await agent.chat("And now?")).toContain("And now?");
});

test("a turn that waits for its turn hears of an abort at once, with the signal's reason", async () => {
  const agent = agentWith();
  await agent.chat("Warm up");
  const slow = emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 20_000 });
  const stop = new AbortController();
  const first = agent.chat("Too slow", { signal: stop.signal }).catch((error: unknown) => error);
  await expect(
    agent.chat("Queued", { signal: AbortSignal.abort(new Error("changed my mind")) }),
  ).rejects.toThrow("changed my mind");
  stop.abort();
  expect(await first).toMatchObject({ name: "AbortError" });
  slow.remove();
});

test("a runtime that hangs fails the turn in its time, is replaced, and does not hold up close()", async () => {
  const before = new Set(runtimes());
  const agent = agentWith({ timeoutMs: 2_000 });
  await agent.chat("Warm up", { timeoutMs: 40_000 });
  const [runtime] = runtimes().filter((pid) => !before.has(pid)) as [number];
  process.kill(runtime, "SIGSTOP");
  await expect(agent.chat("Anybody there?")).rejects.toMatchObject({ code: "agent/timeout" });
  const late = await agent.chat("And now?", { timeoutMs: 40_000 });
  expect(late).toContain("And now?");
  await expect.poll(() => runtimes(), { message: "the one that hung is gone" }).not.toContain(runtime);
  await agent.close();
});

test("the runtime's message about a rejected session is shown without secrets", async () => {
  const planted = `eyJhbGciOiJub25lIn0.${"pl4nted".repeat(4)}.c2ln`;
  const agent = agentWith({ resume: `Bearer ${planted}` });
  const error = await agent.chat("Hello").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "sdk/session-not-found" });
  expect(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}${error}`).not.toContain("pl4nted");
});

test("a client of the user's own is not stopped, and after its restart the agent goes on", async () => {
  const client = new CopilotClient({ useLoggedInUser: false });
  await client.start();
  const agent = agentWith({ client });
  await agent.chat("Warm up");
  await client.forceStop();
  await expect(agent.chat("Gone?")).rejects.toMatchObject({
    code: "sdk/runtime-ended",
    hint: /Start your client again/,
  });
  await client.start();
  expect(await agent.chat("Back?")).toContain("Back?");
  await agent.close();
  expect((await client.ping("still there")).message).toContain("still there");
  await client.stop();
});

test("a 401 for a token that is good costs no turn, although the credential has no other", async () => {
  const agent = agentWith({ credential: new ManagedIdentityCredential() });
  await agent.chat("Warm up");
  const { identity } = emulator.counts;
  for (const prompt of ["Once", "And again"]) {
    emulator.faults.add({ server: "foundry", kind: "status", status: 401 });
    expect(await agent.chat(prompt)).toContain(prompt);
  }
  expect(emulator.counts.identity, "MSAL has it still").toBe(identity);
});

test("a token that is rejected again and again ends its turn at the second request, and serves the next turn if it is good", async () => {
  const agent = agentWith({ credential: new ManagedIdentityCredential() });
  await agent.chat("Warm up");
  for (const requests of [2, 1]) {
    const fault = emulator.faults.add({ server: "foundry", kind: "status", status: 401, times: 10 });
    const { foundry } = emulator.counts;
    await expect(agent.chat("Hello")).rejects.toMatchObject({ code: "model/token-invalid" });
    expect(emulator.counts.foundry - foundry).toBe(requests);
    fault.remove();
  }
  expect(await agent.chat("All is well")).toContain("All is well");
});

test("a turn that times out without a token has the code of the token's failure, and a hint", async () => {
  const away = Object.assign(new Error("the identity service is away"), { statusCode: 503 });
  const client = new CopilotClient({ useLoggedInUser: false });
  await client.start();
  const agent = agentWith({
    client,
    credential: { getToken: () => Promise.reject(away) },
    tokens: { policy: { waitTimeoutMs: 500 } },
    timeoutMs: 4_000,
  });
  await expect(agent.chat("Hello")).rejects.toMatchObject({
    code: "credential/server-error",
    message: expect.stringContaining("the identity service is away"),
    hint: expect.stringContaining("identity service"),
  });
});

test("starting the runtime looks up the name of no connection: that would stop everything else", async () => {
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  const { getReport } = report;
  const excluded: boolean[] = [];
  report.getReport = () => {
    excluded.push(report.excludeNetwork);
    return getReport.call(report);
  };
  try {
    await agentWith().chat("Hello");
  } finally {
    report.getReport = getReport;
  }
  expect(excluded, "the Copilot SDK asks for a report").toEqual([true]);
  expect(report.excludeNetwork).toBe(false);
});

test("options that the runtime rejects are reported as such", async () => {
  const agent = agentWith({ session: { sessionId: "not/a valid id" } });
  await expect(agent.chat("Hello")).rejects.toMatchObject({ code: "sdk/session-refused" });
  expect(() => agentWith({ timeoutMs: -1 })).toThrow(/timeoutMs/);
});

test("identity secrets stay out of the runtime's environment, whatever the client's options say", async () => {
  const before = new Set(runtimes());
  process.env.AZURE_CLIENT_SECRET = "pl4nted";
  const agent = agentWith({ client: { env: { ...process.env, EXTRA: "kept" } } });
  await agent.chat("Warm up");
  delete process.env.AZURE_CLIENT_SECRET;
  const [runtime] = runtimes().filter((pid) => !before.has(pid)) as [number];
  const environment = environmentOf(runtime);
  expect(environment).toMatchObject({ EXTRA: "kept" });
  expect(JSON.stringify(environment)).not.toContain("pl4nted");
  expect(environment).not.toHaveProperty("IDENTITY_HEADER");
});

test("two watchers of a session are independent: the other continues when one stops", async () => {
  const client = new CopilotClient({ useLoggedInUser: false });
  await client.start();
  using provider = createFoundryProvider({ credential: straightCredential(emulator) });
  const session = await client.createSession(provider.sessionConfig(denied));
  const [one, two] = [provider.attach(session), provider.attach(session)];
  one();
  one();
  expect((await session.sendAndWait({ prompt: "Before" }))?.data.content).toContain("Before");
  const { unauthorized } = emulator.counts;
  expect(emulator.revokeTokens()).toBeGreaterThan(0);
  expect((await session.sendAndWait({ prompt: "After" }))?.data.content).toContain("After");
  expect(emulator.counts.unauthorized).toBe(unauthorized + 1);
  two();
  await client.stop();
});
