// The agent where Foundry hosts it: what the official Copilot sample and the official server answer,
// users apart, cancellation, limits.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { json, parseEvents } from "../functions/support.js";
import { emulatorForAgents, JSON_ONLY, post, startAgent, user } from "./support.js";

const emulator = await emulatorForAgents();
const agent = await startAgent(emulator);
const SESSION = "emulated-session";

test("the sample's client gets the SDK's events, text before the end, and an event done", async () => {
  // As in the sample's README.
  const { stdout } = await promisify(execFile)("curl", [
    ...["-sN", "-X", "POST", `${agent.url}/invocations`, "-H", "Content-Type: application/json"],
    ...["-H", "x-agent-invocation-id: inv-1", "-d", '{"input": "What is Python?"}'],
  ]);
  const events = parseEvents(stdout);
  const last = events.pop();
  expect(last).toEqual({ event: "done", data: { invocation_id: "inv-1", session_id: SESSION } });
  // Without a name: only `data: `, as the sample sends event.to_dict().
  expect(new Set(events.map(({ event }) => event))).toEqual(new Set([""]));
  const types = events.map(({ data }) => data.type);
  expect(types).toEqual(
    expect.arrayContaining(["assistant.message_delta", "assistant.usage", "session.idle"]),
  );
  const deltas = events
    .filter(({ data }) => data.type === "assistant.message_delta")
    .map(({ data }) => (data.data as { deltaContent: string }).deltaContent);
  expect(deltas.length).toBeGreaterThan(1);
  expect(deltas.join("")).toBe("Turn 0: What is Python?");
  expect(stdout).not.toMatch(/eyJ/);
});

test("headers: the invocation is echoed or made, the session is named, errors have a source", async () => {
  const made = await post(agent, "/invocations", { input: "Hi" }, { ...JSON_ONLY, ...user("headers") });
  expect(made.headers.get("x-agent-invocation-id")).toMatch(/^[\da-f-]{36}$/);
  expect(made.headers.get("x-agent-session-id")).toBe(SESSION);
  expect(await made.json()).toEqual({
    invocation_id: made.headers.get("x-agent-invocation-id"),
    session_id: SESSION,
    status: "completed",
    output: "Turn 0: Hi",
  });
  const named = await post(
    agent,
    "/invocations?agent_session_id=other",
    { input: "Hi" },
    { ...JSON_ONLY, ...user("headers"), "x-agent-invocation-id": "not valid" },
  );
  expect(named.headers.get("x-agent-invocation-id")).toMatch(/^[\da-f-]{36}$/);
  expect(await named.json()).toMatchObject({ session_id: "other", output: "Turn 0: Hi" });
  const wrong = await post(agent, "/invocations?agent_session_id=a%20b", { input: "Hi" });
  expect([wrong.status, wrong.headers.get("x-platform-error-source")]).toEqual([400, "user"]);
});

test("two users of one session have conversations of their own", async () => {
  const ask = async (name: string, input: string) =>
    (await json(await post(agent, "/invocations", { input }, { ...JSON_ONLY, ...user(name) }))).output;
  expect(await ask("ann", "My name is Ann")).toBe("Turn 0: My name is Ann");
  expect(await ask("bob", "What is my name?")).toBe("Turn 0: What is my name?");
  expect(await ask("ann", "What is my name?")).toBe("Turn 1: What is my name?");
  expect(await ask("bob", "And now?")).toBe("Turn 1: And now?");
});

test("the call's id goes to the model with its turn only, the user's never", async () => {
  emulator.seen.headers.length = 0;
  const headers = { ...JSON_ONLY, ...user("pl4nted-user") };
  await post(agent, "/invocations", { input: "1" }, { ...headers, "x-agent-foundry-call-id": "call-1" });
  await post(agent, "/invocations", { input: "2" }, headers);
  await post(agent, "/responses", { input: "3" }, { ...headers, "x-agent-foundry-call-id": "call-3" });
  const calls = emulator.seen.headers.map((sent) => sent["x-agent-foundry-call-id"]);
  expect(calls).toEqual(["call-1", undefined, "call-3"]);
  expect(JSON.stringify(emulator.seen.headers)).not.toContain("pl4nted-user");
});

test("tokens are those of the agent's own identity", () => {
  const { FOUNDRY_AGENT_INSTANCE_CLIENT_ID: id } = emulator.hosts.foundryHostedAgent;
  const requests = emulator.requests.filter(({ server }) => server === "identity");
  expect(requests.length).toBeGreaterThan(0);
  for (const { query } of requests) expect(query).toContain(`client_id=${id}`);
});

test("an invocation can be watched and cancelled by its user only", async () => {
  const ann = user("cancel-ann");
  const headers = { ...ann, "x-agent-invocation-id": "slow-1" };
  // Begins with the first event.
  const running = await post(agent, "/invocations", { input: "Slowly" }, headers);
  const watch = async (headers: Record<string, string>) => {
    const response = await fetch(`${agent.url}/invocations/slow-1`, { headers });
    return [response.status, (await json(response)).status];
  };
  expect(await watch(ann)).toEqual([200, "running"]);
  expect(await watch(user("cancel-bob"))).toEqual([404, 404]);
  const cancel = (headers: Record<string, string>) => post(agent, "/invocations/slow-1/cancel", "", headers);
  expect((await cancel(user("cancel-bob"))).status).toBe(404);
  expect(await (await cancel(ann)).json()).toEqual({
    invocation_id: "slow-1",
    session_id: SESSION,
    status: "cancelled",
  });
  const events = parseEvents(await running.text());
  expect(events.at(-1)).toMatchObject({ event: "error", data: { code: "chat/cancelled", status: 409 } });
  expect(await watch(ann)).toEqual([200, "cancelled"]);
  // The conversation goes on.
  const next = await post(agent, "/invocations", { input: "Hi" }, { ...JSON_ONLY, ...ann });
  expect(await next.json()).toMatchObject({ status: "completed" });
});

test("a second prompt of a busy conversation is told to wait, one of another user is answered", async () => {
  const left = new AbortController();
  const busy = post(agent, "/invocations", { input: "Slowly" }, user("busy"), left.signal);
  const slow = await busy;
  const headers = { ...user("busy"), "x-agent-invocation-id": "busy-2" };
  const second = await post(agent, "/invocations", { input: "Hi" }, headers);
  expect([second.status, second.headers.get("retry-after")]).toEqual([409, "1"]);
  expect(await second.json()).toMatchObject({ code: "chat/session-busy", retryable: true });
  const state = await fetch(`${agent.url}/invocations/busy-2`, { headers });
  expect(await state.json()).toMatchObject({ status: "failed", error: { code: "chat/session-busy" } });
  const other = await post(agent, "/invocations", { input: "Hi" }, { ...JSON_ONLY, ...user("free") });
  expect(other.status).toBe(200);
  left.abort();
  await slow.text().catch(() => {});
});

test.each<[string, string, unknown, number, string]>([
  ["no JSON", "/invocations", "{bad", 400, "chat/not-json"],
  ["no input", "/invocations", { message: "Hi" }, 400, "chat/invalid-request"],
  ["an empty input", "/invocations", { input: " " }, 400, "chat/invalid-request"],
  ["a list", "/invocations", [], 400, "chat/invalid-request"],
  ["a long prompt", "/invocations", { input: "x".repeat(32_001) }, 413, "chat/prompt-too-long"],
  ["a large body", "/invocations", { input: "Hi", more: "x".repeat(262_144) }, 413, "chat/body-too-large"],
  ["no JSON", "/responses", "{bad", 400, "chat/not-json"],
  ["a number", "/responses", { input: 5 }, 400, "chat/invalid-request"],
  [
    "an image",
    "/responses",
    { input: [{ content: [{ type: "input_image" }] }] },
    400,
    "chat/invalid-request",
  ],
  ["an answer", "/responses", { input: [{ role: "assistant", content: "Hi" }] }, 400, "chat/invalid-request"],
  ["background", "/responses", { input: "Hi", background: true }, 400, "chat/invalid-request"],
  [
    "no such response",
    "/responses",
    { input: "Hi", previous_response_id: "x" },
    404,
    "chat/session-not-found",
  ],
  ["a large body", "/responses", { input: "x".repeat(262_144) }, 413, "chat/body-too-large"],
])("%s to %s is refused", async (_name, path, body, status, code) => {
  const response = await post(agent, path, body);
  const problem = (await response.json()) as { code: string; error: { code: string; message: string } };
  expect([response.status, problem.code, problem.error.code]).toEqual([status, code, code]);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
});

test.each([
  ["GET", "/nothing", 404, "chat/not-found", null],
  ["GET", "/invocations", 405, "chat/method-not-allowed", "POST"],
  ["DELETE", "/responses", 405, "chat/method-not-allowed", "POST"],
  ["POST", "/readiness", 405, "chat/method-not-allowed", "GET"],
  ["DELETE", "/invocations/x", 405, "chat/method-not-allowed", "GET"],
  ["GET", "/invocations/x/cancel", 405, "chat/method-not-allowed", "POST"],
  ["GET", "/invocations/x", 404, "chat/not-found", null],
  ["POST", "/invocations/x/cancel", 404, "chat/not-found", null],
])("%s %s: %d %s", async (method, path, status, code, allow) => {
  const response = await fetch(`${agent.url}${path}`, { method });
  expect([response.status, (await json(response)).code, response.headers.get("allow")]).toEqual([
    status,
    code,
    allow,
  ]);
});

test("the description names every path, and none that is not there", async () => {
  const response = await fetch(`${agent.url}/invocations/docs/openapi.json`);
  const { openapi, info, paths } = (await response.json()) as {
    openapi: string;
    info: object;
    paths: Record<string, object>;
  };
  expect([openapi, info]).toEqual(["3.1.0", { title: "agent", version: "1" }]);
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const answer = await fetch(`${agent.url}${path.replace("{id}", "x")}`, {
        method: method.toUpperCase(),
      });
      const { code } = (await answer.json().catch(() => ({}))) as { code?: string };
      expect([path, method, code]).not.toEqual([path, method, "chat/method-not-allowed"]);
    }
  }
});

test("the client of OpenAI: an answer, a stream, and a chain of responses", async () => {
  const client = new OpenAI({ baseURL: agent.url, apiKey: "none", maxRetries: 0 });
  const first = await client.responses.create({ model: "agent", input: "My name is Ann" });
  expect(first).toMatchObject({
    object: "response",
    status: "completed",
    output_text: "Turn 0: My name is Ann",
  });
  expect(first.usage?.total_tokens).toBeGreaterThan(0);
  const stream = client.responses.stream({
    model: "agent",
    previous_response_id: first.id,
    input: [{ role: "user", content: [{ type: "input_text", text: "What is my name?" }] }],
  });
  const types: string[] = [];
  for await (const { type, sequence_number } of stream) {
    expect(sequence_number).toBe(types.length);
    types.push(type);
  }
  const [second, deltas] = [
    await stream.finalResponse(),
    types.filter((type) => type.endsWith("text.delta")),
  ];
  expect(deltas.length).toBeGreaterThan(1);
  // In the order of azure-ai-agentserver-responses 2.1.
  expect([...new Set(types)]).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(second.output_text).toBe("Turn 1: What is my name?");
  expect(second.id).toMatch(/^caresp_[\da-zA-Z]{50}$/);
  // A chain shares its partition; another one has another.
  expect(second.id.slice(0, 25)).toBe(first.id.slice(0, 25));
  const other = await client.responses.create({ model: "agent", input: "Hi" });
  expect([other.output_text, other.id.slice(0, 25) === first.id.slice(0, 25)]).toEqual(["Turn 0: Hi", false]);
  await expect(
    client.responses.create({
      model: "agent",
      input: "Hi",
      previous_response_id: `caresp_${"0".repeat(50)}`,
    }),
  ).rejects.toMatchObject({ status: 404, code: "chat/session-not-found" });
});

test("a conversation by its name is its user's", async () => {
  const ask = async (name: string, fields: object) => {
    const response = await post(
      agent,
      "/responses",
      { input: "Hi", conversation: "conv_1", ...fields },
      user(name),
    );
    const body = (await response.json()) as {
      output: { content: { text: string }[] }[];
      conversation: object;
    };
    return [body.output[0]?.content[0]?.text, body.conversation];
  };
  expect(await ask("conv-ann", {})).toEqual(["Turn 0: Hi", { id: "conv_1" }]);
  expect(await ask("conv-ann", { conversation: { id: "conv_1" } })).toEqual(["Turn 1: Hi", { id: "conv_1" }]);
  expect(await ask("conv-bob", {})).toEqual(["Turn 0: Hi", { id: "conv_1" }]);
});

test("a refusal of the model is an error of the app, without its details", async () => {
  emulator.faults.add({ server: "foundry", kind: "status", status: 403, times: 20 });
  try {
    const response = await post(agent, "/responses", { input: "Hi" }, user("refused"));
    expect([response.status, response.headers.get("x-platform-error-source")]).toEqual([502, "upstream"]);
    expect(await response.json()).toMatchObject({
      code: expect.stringMatching(/^model\//),
      detail: "The model rejected the request, or failed.",
    });
    const streamed = await post(agent, "/responses", { input: "Hi", stream: true }, user("refused"));
    expect(await streamed.text()).not.toMatch(/eyJ/);
  } finally {
    emulator.faults.clear();
  }
});
