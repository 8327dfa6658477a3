// Tests what is recorded, with OpenTelemetry's SDK.

import { createFoundryProvider } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import type { Telemetry } from "copilot-keyless/telemetry";
import OpenAI from "openai";
import { afterAll, beforeEach, expect, test } from "vitest";
import { answered, gatewayTo, open, send } from "../gateway/support.js";
import { recorded } from "./support.js";

const EMBEDDING = "text-embedding-3-small";
const emulator = await startEmulator({
  chunkDelayMs: 0,
  platformCache: false,
  tokenRevocation: true,
  deployments: ["gpt-5.5", EMBEDDING],
});
afterAll(() => emulator.stop());
beforeEach(() => {
  emulator.faults.clear();
  emulator.foundry.setRoles(["Foundry User"]);
});

const SCOPE = { "copilot_keyless.scope": "https://ai.azure.com/.default" };
const CALL = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai" };

/** A gateway to the emulator whose requests are recorded. */
const observed = ({ onAccess }: Telemetry) =>
  gatewayTo(`${emulator.foundry.url}/openai/v1/`, {
    env: emulator.env,
    credential: "direct",
    tokens: {},
    onAccess,
  });

test("a token's life: refreshes, failures with their code, and the time that is left", async () => {
  const { telemetry, metrics } = recorded();
  const direct = createDirectCredential({ env: emulator.env });
  let calls = 0;
  const provider = createFoundryProvider({
    env: emulator.env,
    credential: {
      async getToken(...given) {
        calls += 1;
        if (calls === 1) throw Object.assign(new Error("Down"), { statusCode: 500 });
        return direct.getToken(...given);
      },
    },
    tokens: { onEvent: telemetry.onTokenEvent, policy: { retryMinMs: 1, retryMaxMs: 5 } },
  });
  await provider.tokens.getToken();
  const { "copilot_keyless.token.events": events, ...rest } = await metrics();
  const event = (type: string, error = {}) => ({ ...SCOPE, "copilot_keyless.event": type, ...error });
  expect(events).toEqual([
    [event("refresh-started"), 2],
    [event("refresh-failed", { "error.type": "credential/server-error" }), 1],
    [event("refresh-succeeded"), 1],
  ]);
  expect(rest["copilot_keyless.token.refresh.duration"]).toEqual([
    [SCOPE, { count: 1, sum: expect.any(Number) }],
  ]);
  const [[, left] = []] = rest["copilot_keyless.token.remaining"] ?? [];
  expect(left).toBeGreaterThan(3_000);
  expect(left).toBeLessThan(90_000);
  provider.close();
  expect((await metrics())["copilot_keyless.token.events"]).toContainEqual([event("closed"), 1]);
});

test("a gateway: requests, calls of models, their tokens, and spans below the caller's", async () => {
  const { telemetry, metrics, spans } = recorded();
  const { gateway } = await observed(telemetry);
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const client = new OpenAI({
    baseURL: `${gateway.url}/openai/v1`,
    apiKey: gateway.key,
    maxRetries: 0,
    defaultHeaders: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  });
  const input = { model: "gpt-5.5", input: "Hello" };
  const { usage } = await client.responses.create(input);
  let streamed = usage;
  for await (const event of await client.responses.create({ ...input, stream: true }))
    if (event.type === "response.completed") streamed = event.response.usage;
  const sumOf = (name: "input_tokens" | "output_tokens") => (usage?.[name] ?? 0) + (streamed?.[name] ?? 0);
  await client.embeddings.create({
    model: EMBEDDING,
    input: "Hello",
    encoding_format: "float",
  });
  await client.models.list();
  await expect.poll(() => spans().length).toBe(7);

  const call = { ...CALL, "gen_ai.request.model": "gpt-5.5" };
  const embeddings = {
    ...call,
    "gen_ai.operation.name": "embeddings",
    "gen_ai.request.model": EMBEDDING,
  };
  const all = await metrics();
  const counted = (count: number) => ({ count, sum: expect.any(Number) });
  expect(all["gen_ai.client.operation.duration"]).toEqual([
    [call, counted(2)],
    [embeddings, counted(1)],
  ]);
  expect(all["gen_ai.client.operation.time_to_first_chunk"]).toEqual([[call, counted(1)]]);
  expect(all["gen_ai.client.token.usage"]).toEqual([
    [
      { ...call, "gen_ai.token.type": "input" },
      { count: 2, sum: sumOf("input_tokens") },
    ],
    [
      { ...call, "gen_ai.token.type": "output" },
      { count: 2, sum: sumOf("output_tokens") },
    ],
    [{ ...embeddings, "gen_ai.token.type": "input" }, counted(1)],
  ]);
  const ok = { "url.scheme": "http", "http.response.status_code": 200 };
  expect(all["http.server.request.duration"]).toEqual([
    [{ ...ok, "http.request.method": "POST" }, counted(3)],
    [{ ...ok, "http.request.method": "GET" }, counted(1)],
  ]);

  const [inner, outer] = spans();
  expect(spans().map(({ name }) => name)).toEqual([
    "chat gpt-5.5",
    "POST chat",
    "chat gpt-5.5",
    "POST chat",
    "embeddings text-embedding-3-small",
    "POST embeddings",
    "GET gateway",
  ]);
  expect(outer?.spanContext().traceId).toBe(traceId);
  expect(outer?.parentSpanContext).toMatchObject({ spanId: "b7ad6b7169203331", isRemote: true });
  expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  expect(inner?.attributes).toMatchObject({ "gen_ai.usage.input_tokens": usage?.input_tokens });
  expect(outer?.attributes).toMatchObject({ "url.path": "/openai/v1/responses" });
});

test("what goes wrong has its code, a token that was renewed is counted, and a bad traceparent is left out", async () => {
  const { telemetry, metrics, spans } = recorded();
  const { gateway } = await observed(telemetry);
  const body = JSON.stringify({ model: "gpt-5.5", input: "Hello" });
  const ask = (headers = {}) => send(gateway, "/openai/v1/responses", body, headers);
  expect((await ask({ traceparent: "00-00000000000000000000000000000000-b7ad6b7169203331-01" })).status).toBe(
    200,
  );
  emulator.revokeTokens();
  expect((await ask()).status).toBe(200);
  emulator.foundry.setRoles([]);
  expect((await ask()).status).toBe(400);
  const brewed = await answered(open(gateway, "/nowhere", { method: "PROPFIND" }).end());
  expect(brewed.status).toBe(405);
  await expect.poll(() => spans().length).toBe(7);

  const all = await metrics();
  expect(all["copilot_keyless.gateway.repeats"]).toEqual([[{}, 1]]);
  expect(all["http.server.request.duration"]?.map(([attributes]) => attributes)).toEqual([
    expect.objectContaining({ "http.response.status_code": 200 }),
    expect.objectContaining({ "http.response.status_code": 400, "error.type": "model/missing-role" }),
    expect.objectContaining({ "http.request.method": "_OTHER", "http.response.status_code": 405 }),
  ]);
  const [first] = spans().filter(({ name }) => name === "POST chat");
  expect(first?.parentSpanContext).toBeUndefined();
  expect(JSON.stringify([all, spans().map(({ attributes }) => attributes)])).not.toMatch(/eyJ|key-of|Hello/);
});

test("a chat handler's requests, and the model calls of a session", async () => {
  const { telemetry, metrics } = recorded();
  const entry = { level: "warn", message: "", correlationId: "1", durationMs: 1_500, status: 503 } as const;
  telemetry.onLog({ ...entry, code: "chat/busy" });
  telemetry.onSessionEvent({
    type: "assistant.usage",
    data: { model: "gpt-5.5", inputTokens: 12, outputTokens: 3, duration: 2_000, timeToFirstTokenMs: 250 },
  } as never);
  telemetry.onSessionEvent({ type: "assistant.message", data: {} } as never);
  const call = { ...CALL, "gen_ai.request.model": "gpt-5.5" };
  expect(await metrics()).toEqual({
    "copilot_keyless.chat.duration": [
      [
        { "http.response.status_code": 503, "error.type": "chat/busy" },
        { count: 1, sum: 1.5 },
      ],
    ],
    "gen_ai.client.operation.duration": [[call, { count: 1, sum: 2 }]],
    "gen_ai.client.operation.time_to_first_chunk": [[call, { count: 1, sum: 0.25 }]],
    "gen_ai.client.token.usage": [
      [
        { ...call, "gen_ai.token.type": "input" },
        { count: 1, sum: 12 },
      ],
      [
        { ...call, "gen_ai.token.type": "output" },
        { count: 1, sum: 3 },
      ],
    ],
  });
});
