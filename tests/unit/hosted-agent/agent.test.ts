// The agent as a function of requests: its options, the environment, and replies that are resumed.

import { startEmulator } from "copilot-keyless/emulator";
import { createHostedAgent, type HostedAgentOptions } from "copilot-keyless/hosted-agent";
import { afterAll, expect, test } from "vitest";

const emulator = await startEmulator({ chunkDelayMs: 0, reply: ({ turn }) => `Turn ${turn}` });
afterAll(() => emulator.stop());

test.each<[string, object]>([
  ["authorize", {}],
  ["authorize", { authorize: "anyone" }],
  ["models", { authorize: "anonymous", models: ["gpt-4o"] }],
  ["durable", { authorize: "anonymous", durable: { baseDirectory: "/x", secret: "x".repeat(32) } }],
  ["home", { authorize: "anonymous", home: 5 }],
  ["onLog", { authorize: "anonymous", onLog: "console" }],
  ["stateless", { authorize: "anonymous", stateless: true }],
  ["limits.turns", { authorize: "anonymous", limits: { turns: 0 } }],
])("a wrong option is told at once: %s", (name, options) => {
  expect(() => createHostedAgent(options as HostedAgentOptions)).toThrow(
    expect.objectContaining({ code: "chat/invalid-option", message: expect.stringContaining(name) }),
  );
});

const asking = (url: string, body: object, headers: Record<string, string> = {}) =>
  new Request(`http://x${url}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

const agent = createHostedAgent({
  authorize: "anonymous",
  credential: "direct",
  env: emulator.env,
  resumeMs: 10_000,
});
afterAll(() => agent.close({ drainMs: 0 }));

test("without a session every request of /invocations is a conversation of its own", async () => {
  const ask = async (query = "") => {
    const response = await agent(
      asking(`/invocations${query}`, { input: "Hi" }, { accept: "application/json" }),
    );
    return (await response.json()) as { session_id: string; output: string };
  };
  const [first, second] = [await ask(), await ask()];
  expect([first.output, second.output, first.session_id === second.session_id]).toEqual([
    "Turn 0",
    "Turn 0",
    false,
  ]);
  expect((await ask(`?agent_session_id=${first.session_id}`)).output).toBe("Turn 1");
});

test("a resumed reply ends with the ids of its invocation", async () => {
  const first = await agent(asking("/invocations", { input: "Hi" }, { "x-agent-invocation-id": "inv-1" }));
  const text = await first.text();
  const [, start] = /^id: (\S+)$/m.exec(text) ?? [];
  const resumed = await agent(asking("/invocations", {}, { "last-event-id": start ?? "" }));
  const rest = await resumed.text();
  expect(rest).toContain('event: done\ndata: {"invocation_id":"inv-1"');
  expect(text.endsWith(rest.slice(-200))).toBe(true);
  const state = await agent(new Request("http://x/invocations/inv-1"));
  expect(await state.json()).toMatchObject({ status: "completed", output: "Turn 0" });
});

test("the platform's headers count only where it hosts the process", async () => {
  const hosted = createHostedAgent({
    authorize: () => false,
    credential: "direct",
    env: { ...emulator.hosts.foundryHostedAgent, FOUNDRY_HOSTING_ENVIRONMENT: "x" },
    home: `${process.env.TMPDIR ?? "/tmp"}/copilot-keyless-hosted-${process.pid}`,
    onLog: () => {},
  });
  const headers = { "x-agent-user-id": "ann", accept: "application/json" };
  expect((await hosted(asking("/invocations", { input: "Hi" }, headers))).status).toBe(200);
  await hosted.close({ drainMs: 0 });
  const elsewhere = createHostedAgent({ authorize: () => false, credential: "direct", env: emulator.env });
  expect((await elsewhere(asking("/invocations", { input: "Hi" }, headers))).status).toBe(401);
  await elsewhere.close({ drainMs: 0 });
});

test("a misconfigured agent is not ready, and says why by a code", async () => {
  const broken = createHostedAgent({ authorize: "anonymous", env: {} });
  const response = await broken(new Request("http://x/readiness"));
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({
    status: "unhealthy",
    state: "misconfigured",
    error: "endpoint/empty",
  });
  await broken.close();
});

test("a closed agent refuses", async () => {
  const closed = createHostedAgent({ authorize: "anonymous", env: emulator.env });
  await closed.close();
  const answer = await closed(asking("/responses", { input: "Hi" }));
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "chat/closing"]);
  expect((await closed(new Request("http://x/readiness"))).status).toBe(503);
});
