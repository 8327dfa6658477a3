// Tests the gateway against the emulator: routes, tokens and explained refusals. The clients are
// `openai` and plain HTTP.

import { startEmulator } from "copilot-keyless/emulator";
import OpenAI, { AzureOpenAI, BadRequestError, RateLimitError } from "openai";
import { afterAll, beforeEach, expect, test } from "vitest";
import { gatewayTo, KEY, resource, send, tokenFunction } from "./support.js";

const emulator = await startEmulator({ chunkDelayMs: 0, platformCache: false });
afterAll(() => emulator.stop());
beforeEach(() => emulator.foundry.setRoles(["Foundry User"]));

const endpoint = `${emulator.foundry.url}/openai/v1/`;
const open = () => gatewayTo(endpoint, { env: emulator.env, credential: "direct", tokens: {} });
const input = { model: "gpt-5.5", input: "Hello" };

test("a turn and a stream of openai, with a token that the client never sees", async () => {
  const { gateway, log } = await open();
  const client = new OpenAI({
    baseURL: `${gateway.url}/openai/v1`,
    apiKey: gateway.key,
    maxRetries: 0,
    // A header of the log, if it were a valid one.
    defaultHeaders: { traceparent: `00-${KEY}` },
  });
  const { output_text } = await client.responses.create(input);
  expect(output_text).toContain("Hello");
  let text = "";
  for await (const event of await client.responses.create({ ...input, stream: true }))
    if (event.type === "response.output_text.delta") text += event.delta;
  expect(text).toBe(output_text);
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toContain("gpt-5.5");
  expect(emulator.requests.filter(({ server }) => server === "identity")).toHaveLength(1);
  await expect
    .poll(() => log.map(({ method, path, status }) => `${method} ${path} ${status}`))
    .toEqual(["POST /openai/v1/responses 200", "POST /openai/v1/responses 200", "GET /openai/v1/models 200"]);
  expect(log[1]?.firstByteMs).toBeLessThanOrEqual(log[1]?.durationMs ?? 0);
  expect(log[1]).toMatchObject({ operation: "chat", model: "gpt-5.5", streamed: true });
  expect(log[1]?.usage?.outputTokens).toBeGreaterThan(0);
  expect(log[2]?.operation).toBeUndefined();
  expect(JSON.stringify(log)).not.toMatch(/eyJ|key-of/);
});

test("the tokens of a stream of Messages, whose input is counted at its beginning alone", async () => {
  const { gateway, log } = await open();
  emulator.replies.add("word ".repeat(1000));
  const body = {
    model: "gpt-5.5",
    max_tokens: 4000,
    stream: true,
    messages: [{ role: "user", content: "Hi" }],
  };
  const answer = await fetch(`${gateway.url}/anthropic/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": KEY, "anthropic-version": "2023-06-01" },
    body: JSON.stringify(body),
  });
  const input = Math.ceil(JSON.stringify(body).length / 4);
  expect((await answer.text()).length).toBeGreaterThan(64 * 1024);
  await expect.poll(() => log[0]?.usage).toEqual({ inputTokens: input, outputTokens: 1250 });
});

test("AzureOpenAI: dated routes as they are, and its mistakes on a v1 base repaired", async () => {
  const { gateway } = await open();
  const options = { apiKey: KEY, apiVersion: "2024-10-21", maxRetries: 0 };
  const messages = [{ role: "user" as const, content: "Hello" }];
  const dated = new AzureOpenAI({ ...options, endpoint: gateway.url, deployment: "gpt-4o" });
  const paths = () => emulator.requests.slice(-1).map(({ path, query }) => `${path}?${query ?? ""}`)[0];
  await dated.chat.completions.create({ model: "gpt-4o", messages });
  expect(paths()).toBe("/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21");
  const onV1 = new AzureOpenAI({ ...options, baseURL: `${gateway.url}/openai/v1` });
  await onV1.chat.completions.create({ model: "gpt-4o", messages });
  expect(paths()).toBe("/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21");
  await onV1.responses.create(input);
  expect(paths()).toBe("/openai/v1/responses?");
});

test("Anthropic's route takes the key from x-api-key", async () => {
  const { gateway } = await open();
  const body = JSON.stringify({
    model: "gpt-5.5",
    max_tokens: 5,
    messages: [{ role: "user", content: "Hi" }],
  });
  const headers = { "x-api-key": KEY, "api-key": "another", "anthropic-version": "2023-06-01" };
  const { status, body: answer } = await send(gateway, "/v1/messages?beta=true", body, headers);
  expect([status, JSON.parse(answer).type]).toEqual([200, "message"]);
});

test("50 requests at once after a revocation are all answered, with one acquisition", async () => {
  const { gateway, log } = await open();
  await send(gateway, "/openai/v1/responses", JSON.stringify(input));
  emulator.revokeTokens();
  const before = emulator.counts.identity;
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => send(gateway, "/openai/v1/responses", JSON.stringify(input))),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  // The direct credential first asks the host to renew the token, which App Service's refuses.
  expect(emulator.counts.identity - before).toBeLessThanOrEqual(2);
  await expect.poll(() => log.filter(({ repeated }) => repeated).length).toBeGreaterThan(0);
});

test("a token that is revoked again too soon is a 503 that says when another can be had", async () => {
  const { gateway, log } = await open();
  const ask = () => send(gateway, "/openai/v1/responses", JSON.stringify(input));
  expect((await ask()).status).toBe(200);
  emulator.revokeTokens();
  expect((await ask()).status).toBe(200);
  emulator.revokeTokens();
  const before = { ...emulator.counts };
  const { status, headers, body } = await ask();
  expect([status, headers["x-should-retry"], JSON.parse(body).error.code]).toEqual([
    503,
    "true",
    "model/token-invalid",
  ]);
  expect(Number(headers["retry-after"])).toBeGreaterThan(20);
  expect(Number(headers["retry-after"])).toBeLessThanOrEqual(30);
  expect(emulator.counts.identity).toBe(before.identity);
  expect(emulator.counts.foundry - before.foundry).toBe(1);
  await expect.poll(() => log.map(({ repeated }) => repeated)).toEqual([false, true, false]);
});

test("a 401 for the only token that there is is explained by that token", async () => {
  let asked = 0;
  const endpoint = await resource((request, response) => {
    asked += 1;
    request.resume();
    response.writeHead(401, { "www-authenticate": "Bearer" }).end();
  });
  const claims = { aud: "https://management.azure.com", exp: 4e9 };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
  const { gateway } = await gatewayTo(endpoint, {
    scope: "https://ai.azure.com/.default",
    tokens: tokenFunction(() => token),
  });
  const { status, body } = await send(gateway, "/openai/v1/responses");
  const { code, message } = JSON.parse(body).error;
  expect([status, code, asked]).toEqual([400, "model/wrong-audience", 2]);
  expect(message).toContain("https://management.azure.com");
});

test("a missing role is a 400 that says what to do, in the form of the client's API", async () => {
  const { gateway } = await open();
  emulator.foundry.setRoles([]);
  const before = emulator.counts.foundry;
  const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: KEY, maxRetries: 3 });
  const error = await client.responses.create(input).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BadRequestError);
  const { code, message, headers } = error as BadRequestError;
  expect(code).toBe("model/missing-role");
  expect(message).toContain("az role assignment create");
  expect(headers.get("x-should-retry")).toBe("false");
  expect(emulator.counts.foundry - before).toBe(1);
  const anthropic = JSON.stringify({ model: "gpt-5.5", max_tokens: 5, messages: [] });
  const { status, body } = await send(gateway, "/anthropic/v1/messages", anthropic);
  expect([status, JSON.parse(body)]).toEqual([
    400,
    {
      type: "error",
      error: expect.objectContaining({ type: "invalid_request_error", message: expect.any(String) }),
    },
  ]);
});

test("a 429 passes with its headers", async () => {
  const { gateway } = await open();
  emulator.faults.add({ server: "foundry", kind: "status", status: 429, headers: { "retry-after": "7" } });
  const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: KEY, maxRetries: 0 });
  const error = await client.responses.create(input).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RateLimitError);
  expect((error as RateLimitError).headers.get("retry-after")).toBe("7");
});

test("a claims challenge is answered with a token that has the claims", async () => {
  const asked: (string | undefined)[] = [];
  const { gateway } = await gatewayTo(endpoint, {
    env: { FOUNDRY_TOKEN_SCOPE: emulator.env.FOUNDRY_TOKEN_SCOPE },
    credential: {
      getToken: async (_scope, { claims } = {}) => {
        asked.push(claims);
        const more = claims === undefined ? "" : `&claims=${encodeURIComponent(claims)}`;
        const url = `${emulator.env.IDENTITY_ENDPOINT}?resource=https://ai.azure.com&api-version=2019-08-01${more}`;
        const response = await fetch(url, { headers: { "x-identity-header": emulator.env.IDENTITY_HEADER } });
        const { access_token } = (await response.json()) as { access_token: string };
        return { token: access_token, expiresOnTimestamp: Date.now() + 3_600_000 };
      },
    },
    tokens: { enableCae: true },
  });
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
  const challenge = emulator.faults.add({
    server: "foundry",
    kind: "claims-challenge",
    claims,
    times: Infinity,
  });
  expect((await send(gateway, "/openai/v1/responses", JSON.stringify(input))).status).toBe(200);
  challenge.remove();
  expect(asked).toEqual([undefined, claims]);
});

test("without a token, the client is told why, and whether to try again", async () => {
  const refuse = (status: number) =>
    emulator.faults.add({ server: "identity", kind: "status", status, times: Infinity });
  const refused = refuse(400);
  const { gateway } = await open();
  const { status, body } = await send(gateway, "/openai/v1/responses", JSON.stringify(input));
  refused.remove();
  expect([status, JSON.parse(body).error.code]).toEqual([400, "credential/refused"]);
});
