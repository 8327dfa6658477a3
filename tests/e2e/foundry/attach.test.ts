// Tests attach() with sessions of the real runtime: which errors it explains, and that detaching
// restores the session.

import { CopilotClient, type CopilotSession, type SessionEvent } from "@github/copilot-sdk";
import { createFoundryProvider, createFoundryProviders, type FoundryProvider } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { denied, emulated, straightCredential } from "../support.js";

const emulator = await emulated();
const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
afterAll(() => client.stop());

function provide(): FoundryProvider {
  const provider = createFoundryProvider({ credential: straightCredential(emulator) });
  afterAll(() => provider.close());
  return provider;
}

const replaced = (session: CopilotSession) => Object.hasOwn(session, "sendAndWait");

test("the caller's own timeout is reported as such, whatever failed before it", async () => {
  const foundry = provide();
  const session = await client.createSession(foundry.sessionConfig(denied));
  const told: string[] = [];
  foundry.attach(session, ({ code }) => told.push(code));
  await session.sendAndWait({ prompt: "Warm up" });
  emulator.faults.add({
    server: "foundry",
    kind: "status",
    status: 429,
    headers: { "retry-after": "5" },
    body: { error: { code: "429", message: "Too many. Please retry after 5 seconds." } },
  });
  await expect(session.sendAndWait({ prompt: "Too slow" }, 1_500)).rejects.toThrow(
    "Timeout after 1500ms waiting for session.idle",
  );
  expect(told).toEqual(["model/rate-limited"]);
  await session.disconnect();
});

test("a sub-agent's message does not hide why its parent's turn failed", async () => {
  const foundry = provide();
  const session = await client.createSession(foundry.sessionConfig(denied));
  foundry.attach(session);
  // The runtime cannot produce this case, so add an event to its own.
  session.on("model.call_failure", () => {
    const said = { type: "assistant.message", agentId: "helper", data: { messageId: "m", content: "Done" } };
    dispatch(session, said as SessionEvent);
  });
  emulator.faults.add({ server: "foundry", kind: "status", error: "deployment-not-found", times: Infinity });
  await expect(session.sendAndWait({ prompt: "Hello" })).rejects.toMatchObject({
    code: "model/deployment-not-found",
  });
  emulator.faults.clear();
  await session.disconnect();
});

function dispatch(session: CopilotSession, event: SessionEvent): void {
  (session as unknown as { _dispatchEvent: (event: SessionEvent) => void })._dispatchEvent(event);
}

test("attachments may detach in any order, and restore the session", async () => {
  const [one, two] = [provide(), provide()];
  const session = await client.createSession(one.sessionConfig(denied));
  const original = session.sendAndWait;
  const { disconnect } = session;
  // The second one under the function's deprecated name.
  const [first, second] = [one.attach(session), two.watch(session)];
  expect(session.disconnect, "the only method that is replaced is sendAndWait").toBe(disconnect);
  first();
  expect(replaced(session)).toBe(true);
  emulator.faults.add({ server: "foundry", kind: "status", error: "deployment-not-found" });
  await expect(session.sendAndWait({ prompt: "Hello" })).rejects.toMatchObject({
    code: "model/deployment-not-found",
  });
  second();
  expect(replaced(session)).toBe(false);
  expect(session.sendAndWait).toBe(original);
  await session.disconnect();
});

test("a wrapper of another library stays, and works, when the provider beneath it is detached", async () => {
  const foundry = provide();
  const session = await client.createSession(foundry.sessionConfig(denied));
  const detach = foundry.attach(session);
  const attached = session.sendAndWait as (prompt: string) => ReturnType<CopilotSession["sendAndWait"]>;
  session.sendAndWait = (prompt) => attached(`${String(prompt)}, wrapped`);
  detach();
  expect((await session.sendAndWait("Hello"))?.data.content).toContain("Hello, wrapped");
  emulator.faults.add({ server: "foundry", kind: "status", error: "deployment-not-found" });
  await expect(session.sendAndWait("Hello")).rejects.not.toHaveProperty("code");
  await session.disconnect();
});

test("a session that was disconnected can be resumed and attached again", async () => {
  const foundry = provide();
  const many = createFoundryProviders([{ name: "one", models: ["gpt-5.5"] }]);
  const session = await client.createSession(foundry.sessionConfig(denied));
  foundry.attach(session);
  many.attach(session);
  await session.sendAndWait({ prompt: "Hello" });
  await session.disconnect();
  many.close();

  // By the deprecated name of sessionConfig.
  const later = await client.resumeSession(session.sessionId, foundry.resumeConfig(denied));
  foundry.attach(later);
  emulator.faults.add({ server: "foundry", kind: "status", error: "deployment-not-found" });
  await expect(later.sendAndWait({ prompt: "Hello" })).rejects.toMatchObject({
    code: "model/deployment-not-found",
  });
  await later.disconnect();
});
