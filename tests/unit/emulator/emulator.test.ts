import { execFile } from "node:child_process";
import { connect, createServer } from "node:net";
import { inspect, promisify } from "node:util";
import { ManagedIdentityCredential } from "@azure/identity";
import { decodeJwt } from "jose";
import { afterEach, describe, expect, it, vi } from "vitest";
import { resourceError } from "../../../js/emulator/errors.js";
import { type Emulator, type EmulatorOptions, type Fault, startEmulator } from "../../../js/emulator.js";
import { KeylessError } from "../../../js/errors/keyless-error.js";
import { AI, askIdentity, type Call, events, json, last, post, start, tokenFor, until } from "./support.js";

const COGNITIVE = "https://cognitiveservices.azure.com";
const REPLY = 'You said: "hello". I am the copilot-keyless emulator; this reply came over a keyless request.';
const { body: DEPLOYMENT_NOT_FOUND } = resourceError("deployment-not-found");
const { body: NOT_FOUND } = resourceError("wrong-path");

const flat401 = (audience = AI) => resourceError("token-invalid", { audience }).body;

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("managed identity, App Service", () => {
  it("answers as App Service does, with claims as Entra's", async () => {
    const emulator = await start({ clock: { now: () => 1_700_000_000_400 } });
    const response = await askIdentity(emulator, { resource: `${AI}/` });
    expect(response.status).toBe(200);
    const body = await json(response);
    expect(Object.keys(body).sort()).toEqual([
      "access_token",
      "client_id",
      "expires_on",
      "resource",
      "token_type",
    ]);
    expect(body).toMatchObject({
      expires_on: "1700003601",
      resource: `${AI}/`,
      token_type: "Bearer",
      client_id: emulator.identity.clientId,
    });
    const { tenantId, clientId, principalId, resourceId } = emulator.identity;
    expect(decodeJwt(body.access_token)).toMatchObject({
      aud: AI,
      iss: `https://sts.windows.net/${tenantId}/`,
      iat: 1_699_999_700,
      nbf: 1_699_999_700,
      exp: 1_700_003_601,
      appid: clientId,
      idtyp: "app",
      oid: principalId,
      sub: principalId,
      tid: tenantId,
      ver: "1.0",
      xms_mirid: resourceId,
    });
  });

  it("gives a new token to each request without the platform's cache", async () => {
    const emulator = await start({ platformCache: false });
    const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenFor(emulator)));
    expect(new Set(tokens.map((token) => decodeJwt(token).uti)).size).toBe(20);
    expect(new Set(emulator.requests.map((request) => request.tokenId)).size).toBe(20);
  });

  it("lets the request choose the identity", async () => {
    const emulator = await start();
    const byClient = await json(await askIdentity(emulator, { client_id: "my-client" }));
    expect(byClient.client_id).toBe("my-client");
    expect(decodeJwt(byClient.access_token).appid).toBe("my-client");
    const byPrincipal = await json(await askIdentity(emulator, { principal_id: "my-principal" }));
    expect(decodeJwt(byPrincipal.access_token).oid).toBe("my-principal");
    const byResource = await json(await askIdentity(emulator, { mi_res_id: "/my/id" }));
    expect(decodeJwt(byResource.access_token).xms_mirid).toBe("/my/id");
    expect((await askIdentity(emulator, { client_id: "a", mi_res_id: "b" })).status).toBe(400);
  });

  it.each([
    ["wrong secret", {}, { "X-IDENTITY-HEADER": "guess" }, 401],
    ["empty secret", {}, { "X-IDENTITY-HEADER": "" }, 401],
    ["wrong api-version", { "api-version": "2017-09-01" }, {}, 400],
    ["no resource", { resource: "" }, {}, 400],
    ["a scope for a resource", { resource: `${AI}/.default` }, {}, 400],
  ])("refuses %s", async (_name, query, headers, status) => {
    const emulator = await start();
    const response = await askIdentity(emulator, query, headers);
    expect(response.status).toBe(status);
    expect(await json(response)).toEqual({
      statusCode: status,
      message: expect.any(String),
      correlationId: expect.any(String),
    });
    expect(last(emulator)).toMatchObject({ server: "identity", status });
  });

  it("refuses a request without the header, and unknown paths", async () => {
    const emulator = await start();
    const url = `${emulator.identity.endpoint}?resource=${AI}&api-version=2019-08-01`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(`${emulator.identity.url}/other`)).status).toBe(404);
    expect(emulator.counts).toEqual({ identity: 2, foundry: 0, unauthorized: 1 });
  });

  it("serves the ManagedIdentityCredential of @azure/identity", async () => {
    const emulator = await start({ tokenLifetimeSeconds: 3600 });
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value);
    const credential = new ManagedIdentityCredential();
    const { token, expiresOnTimestamp } = await credential.getToken(emulator.env.FOUNDRY_TOKEN_SCOPE);
    // MSAL counts whole seconds from now, and a new second may begin in between.
    expect(Math.abs(expiresOnTimestamp - (decodeJwt(token).exp ?? 0) * 1000)).toBeLessThanOrEqual(1_000);
    expect((await post(emulator, { token })).status).toBe(200);
    expect(last(emulator)?.tokenId).toBe(decodeJwt(token).uti);
  });
});

describe("managed identity, IMDS", () => {
  const ask = (
    emulator: Emulator,
    query: Record<string, string> = {},
    headers: object = { Metadata: "true" },
  ) => {
    const url = new URL(emulator.identity.imdsEndpoint);
    url.search = new URLSearchParams({ resource: AI, "api-version": "2018-02-01", ...query }).toString();
    return fetch(url, { headers: headers as Record<string, string> });
  };

  it("answers in strings only", async () => {
    const emulator = await start({ tokenLifetimeSeconds: 60, clock: { now: () => 1_700_000_000_400 } });
    const body = await json(await ask(emulator));
    expect(Object.values(body).every((value) => typeof value === "string")).toBe(true);
    expect(body).toMatchObject({
      expires_in: "60",
      expires_on: "1700000061",
      not_before: "1699999700",
      resource: AI,
      token_type: "Bearer",
    });
    expect((await post(emulator, { token: body.access_token })).status).toBe(200);
  });

  it("refuses a request without the header, api-version or resource", async () => {
    const emulator = await start();
    const refused = [
      await ask(emulator, {}, {}),
      await ask(emulator, { "api-version": "2010-01-01" }),
      await ask(emulator, { resource: "" }),
    ];
    for (const response of refused) {
      expect(response.status).toBe(400);
      expect(await json(response)).toEqual({
        error: "invalid_request",
        error_description: expect.any(String),
      });
    }
  });

  it("serves the ManagedIdentityCredential of @azure/identity", async () => {
    const emulator = await start();
    // In its own process, because MSAL detects the endpoint and caches tokens once per process.
    const script = `
      const { ManagedIdentityCredential } = await import("@azure/identity");
      process.stdout.write((await new ManagedIdentityCredential().getToken("${AI}/.default")).token);`;
    const { stdout: token } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "-e", script],
      { env: { PATH: process.env.PATH, AZURE_POD_IDENTITY_AUTHORITY_HOST: emulator.identity.url } },
    );
    expect(last(emulator)).toMatchObject({ path: "/metadata/identity/oauth2/token/", status: 200 });
    expect((await post(emulator, { token })).status).toBe(200);
  });
});

describe("replies", () => {
  it("answers the Responses API in one piece", async () => {
    const emulator = await start();
    const body = await json(await post(emulator, { token: await tokenFor(emulator) }));
    expect(body).toMatchObject({
      object: "response",
      status: "completed",
      model: "gpt-5.5",
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: REPLY }] }],
    });
    expect(body.usage.total_tokens).toBe(body.usage.input_tokens + body.usage.output_tokens);
  });

  it("streams the Responses API", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const list = await events(
      await post(emulator, { token, body: { model: "gpt-5.5", input: "hello", stream: true } }),
    );
    expect(list.map(({ event }) => event)).toEqual(list.map(({ data }) => data.type));
    expect(list.map(({ data }) => data.sequence_number)).toEqual(list.map((_, i) => i));
    const deltas = list.filter(({ event }) => event === "response.output_text.delta");
    expect(deltas.length).toBeGreaterThan(10);
    expect(deltas.map(({ data }) => data.delta).join("")).toBe(REPLY);
    expect(list.map(({ event }) => event).filter((event) => event !== "response.output_text.delta")).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(list.at(-1)?.data.response.output[0].content[0].text).toBe(REPLY);
  });

  it("answers and streams chat completions", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const path = "/openai/v1/chat/completions";
    const body = { model: "gpt-4o", messages: [{ role: "user", content: "hello" }] };
    const whole = await json(await post(emulator, { path, token, body }));
    expect(whole.choices[0]).toMatchObject({
      message: { role: "assistant", content: REPLY },
      finish_reason: "stop",
    });
    const streamed = { ...body, stream: true, stream_options: { include_usage: true } };
    const list = await events(await post(emulator, { path, token, body: streamed }));
    expect(list.at(-1)?.data).toBe("[DONE]");
    expect(list.at(-2)?.data).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(list[0]?.data).toMatchObject({ choices: [], prompt_filter_results: [expect.anything()] });
    expect(list.map(({ data }) => data.choices?.[0]?.delta?.content ?? "").join("")).toBe(REPLY);
    const plain = await events(await post(emulator, { path, token, body: { ...body, stream: true } }));
    expect(plain.some(({ data }) => data.usage)).toBe(false);
  });

  it("answers and streams Anthropic messages", async () => {
    const emulator = await start({ deployments: ["an-anthropic-model"] });
    const token = await tokenFor(emulator);
    const path = "/anthropic/v1/messages";
    const headers = { "anthropic-version": "2023-06-01" };
    const body = {
      model: "an-anthropic-model",
      max_tokens: 100,
      messages: [{ role: "user", content: "hello" }],
    };
    const whole = await json(await post(emulator, { path, token, headers, body }));
    expect(whole).toMatchObject({
      type: "message",
      content: [{ type: "text", text: REPLY }],
      stop_reason: "end_turn",
    });
    const list = await events(
      await post(emulator, { path, token, headers, body: { ...body, stream: true } }),
    );
    expect(list.map(({ data }) => data.delta?.text ?? "").join("")).toBe(REPLY);
    expect(list.map(({ event }) => event).filter((event) => event !== "content_block_delta")).toEqual([
      "message_start",
      "content_block_start",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect((await post(emulator, { path, token, body })).status).toBe(400);
    expect(
      (await post(emulator, { path, token, headers, body: { model: "an-anthropic-model" } })).status,
    ).toBe(400);
  });

  it("lists models", async () => {
    const emulator = await start({ model: "mine" });
    const headers = { authorization: `Bearer ${await tokenFor(emulator)}` };
    for (const base of ["/openai/v1", "/api/projects/p1/openai/v1"]) {
      const body = await json(await fetch(`${emulator.foundry.url}${base}/models`, { headers }));
      expect(body.data.map(({ id }: { id: string }) => id)).toEqual(["mine", "gpt-5.5", "gpt-4o"]);
    }
    expect(emulator.env.FOUNDRY_MODEL_NAME).toBe("mine");
  });

  it("serves the project route and the dated routes", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const chat = { messages: [{ role: "user", content: "hello" }] };
    const calls: Call[] = [
      { path: "/api/projects/p1/openai/v1/responses" },
      { path: "/api/projects/p1/openai/v1/chat/completions", body: { model: "gpt-4o", ...chat } },
      { path: "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", body: chat },
      { path: "/openai/responses?api-version=2025-04-01-preview" },
    ];
    for (const call of calls) expect((await post(emulator, { ...call, token })).status).toBe(200);
  });

  it("takes context blocks off the prompt", async () => {
    const prompts: string[] = [];
    const emulator = await start({ reply: ({ prompt }) => String(prompts.push(prompt)) });
    const token = await tokenFor(emulator);
    const texts = [
      "<current_datetime>2026-11-21T00:03:39Z</current_datetime>\n\nhi",
      "<a x='1'>1</a>\n<b-c>2\n3</b-c>  what does <b>x</b> do?",
      "<only>context</only>",
      "<unclosed>hi",
      "1 < 2",
    ];
    for (const input of texts) await post(emulator, { token, body: { model: "gpt-5.5", input } });
    expect(prompts).toEqual([
      "hi",
      "what does <b>x</b> do?",
      "<only>context</only>",
      "<unclosed>hi",
      "1 < 2",
    ]);
  });

  it("finds the prompt before a message of context blocks, as Claude Code sends them", async () => {
    const seen: [string, number][] = [];
    const emulator = await start({
      reply: ({ prompt, toolResults }) => String(seen.push([prompt, toolResults.length])),
    });
    const token = await tokenFor(emulator);
    const user = (content: string) => ({ role: "user", content });
    const context = user("<reminder>a</reminder>\n\n<reminder>b</reminder>");
    const answered = { role: "assistant", content: "yes" };
    const called = { role: "assistant", content: null, tool_calls: [{ id: "c1", function: { name: "f" } }] };
    const conversations = [
      [user("<reminder>a</reminder>\nhi"), context],
      [user("hi"), called, { role: "tool", content: "1", tool_call_id: "c1" }, context],
      [user("before"), answered, context],
      [user("hi"), answered],
    ];
    const path = "/openai/v1/chat/completions";
    for (const messages of conversations)
      await post(emulator, { token, path, body: { model: "gpt-5.5", messages } });
    expect(seen).toEqual([
      ["hi", 0],
      ["hi", 1],
      [context.content, 0],
      ["hi", 0],
    ]);
  });

  it("tells the reply function what it needs, the same on all routes", async () => {
    const seen: unknown[] = [];
    const emulator = await start({
      reply: ({ headers, ...rest }) => {
        expect(headers).toMatchObject({ "x-mine": "1" });
        expect(headers.authorization).toBeUndefined();
        seen.push(rest);
        return { text: "Let me see.", toolCalls: [{ name: "weather", arguments: { city: "Graz" } }] };
      },
    });
    const token = await tokenFor(emulator);
    const headers = { "x-mine": "1", "anthropic-version": "2023-06-01" };
    const call = (path: string, body: object) =>
      post(emulator, { path, token, headers, body: { model: "gpt-5.5", ...body } });
    const parameters = { type: "object" };
    const args = '{"city":"Wien"}';

    const responses = await json(
      await call("/openai/v1/responses", {
        instructions: "Be nice.",
        input: [
          { role: "user", content: [{ type: "input_text", text: "weather?" }] },
          { type: "reasoning", summary: [] },
          { type: "function_call", call_id: "c1", name: "weather", arguments: args },
          { type: "function_call_output", call_id: "c1", output: "sunny" },
        ],
        tools: [{ type: "function", name: "weather", description: "d", parameters }],
      }),
    );
    expect(responses.output).toMatchObject([
      { type: "message" },
      { type: "function_call", name: "weather", arguments: '{"city":"Graz"}', call_id: expect.any(String) },
    ]);
    const chat = await json(
      await call("/openai/v1/chat/completions", {
        messages: [
          { role: "developer", content: "Be nice." },
          { role: "user", content: [{ type: "text", text: "weather?" }] },
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: args } }],
          },
          { role: "tool", tool_call_id: "c1", content: "sunny" },
        ],
        tools: [{ type: "function", function: { name: "weather", description: "d", parameters } }],
      }),
    );
    expect(chat.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ function: { name: "weather", arguments: '{"city":"Graz"}' } }] },
    });
    const messages = await json(
      await call("/anthropic/v1/messages", {
        max_tokens: 10,
        system: [{ type: "text", text: "Be nice." }],
        messages: [
          { role: "user", content: "weather?" },
          {
            role: "assistant",
            content: [{ type: "tool_use", id: "c1", name: "weather", input: { city: "Wien" } }],
          },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "sunny" }] },
        ],
        tools: [{ name: "weather", description: "d", input_schema: parameters }],
      }),
    );
    expect(messages).toMatchObject({
      stop_reason: "tool_use",
      content: [{ type: "text" }, { type: "tool_use", input: { city: "Graz" } }],
    });

    const common = {
      model: "gpt-5.5",
      prompt: "weather?",
      turn: 1,
      stream: false,
      tools: [{ name: "weather", description: "d", parameters }],
      toolResults: [{ role: "tool", text: "sunny", toolCallId: "c1" }],
      messages: [
        { role: "system", text: "Be nice." },
        { role: "user", text: "weather?" },
        { role: "assistant", text: "", toolCalls: [{ id: "c1", name: "weather", arguments: args }] },
        { role: "tool", text: "sunny", toolCallId: "c1" },
      ],
    };
    expect(seen).toEqual(
      ["responses", "chat-completions", "messages"].map((route) => ({ route, ...common })),
    );
  });

  it("streams tool calls on all routes", async () => {
    const emulator = await start({ reply: () => ({ toolCalls: [{ name: "f", arguments: '{"a":1}' }] }) });
    const token = await tokenFor(emulator);
    const base = { model: "gpt-4o", stream: true, max_tokens: 9, input: "x", messages: [] };
    const headers = { "anthropic-version": "2023-06-01" };
    const call = async (path: string) => events(await post(emulator, { path, token, headers, body: base }));
    const responses = await call("/openai/v1/responses");
    expect(responses.map(({ event }) => event)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const chat = await call("/openai/v1/chat/completions");
    const deltas = chat.flatMap(({ data }) => data.choices?.[0]?.delta?.tool_calls ?? []);
    expect(deltas).toMatchObject([
      { index: 0, id: expect.any(String), function: { name: "f", arguments: "" } },
      { index: 0, function: { arguments: '{"a":1}' } },
    ]);
    const messages = await call("/anthropic/v1/messages");
    expect(messages.find(({ data }) => data.delta?.partial_json)?.data.delta.partial_json).toBe('{"a":1}');
  });

  it("says what is wrong with a reply function, in a way that is not retried", async () => {
    const token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln";
    const throwing = await start({ reply: () => Promise.reject(new Error(`no ${token}`)) });
    const response = await post(throwing, { token: await tokenFor(throwing) });
    expect(response.status).toBe(400);
    expect(await json(response)).toEqual({
      error: {
        code: "emulator/reply-failed",
        message: "The emulator's reply function threw: no [redacted]",
      },
    });
    const wrong = await start({ reply: () => ({ toolCalls: [{}] }) as never });
    expect((await post(wrong, { token: await tokenFor(wrong) })).status).toBe(400);
  });
});

describe("refusals", () => {
  it("401, flat: no token, no JWT, a forged one, the wrong audience", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const stranger = await tokenFor(await start());
    const [header, payload] = token.split(".");
    const refused = [
      [undefined, "missing"],
      ["", "invalid"],
      ["opaque", "invalid"],
      [`Bearer ${token}`, "invalid"],
      [`${header}.${payload}.c2ln`, "invalid"],
      [stranger, "invalid"],
      [await tokenFor(emulator, "https://management.azure.com"), "wrong-audience"],
    ] as const;
    for (const [given, verdict] of refused) {
      const response = await post(emulator, { token: given });
      expect(response.status).toBe(401);
      expect(await json(response)).toEqual(flat401());
      expect(last(emulator)?.authorization?.verdict).toBe(verdict);
    }
    expect(emulator.counts.unauthorized).toBe(refused.length);
  });

  it("accepts both audiences, but only ai.azure.com on a project", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, COGNITIVE);
    expect((await post(emulator, { token })).status).toBe(200);
    const response = await post(emulator, { token, path: "/api/projects/p/openai/v1/responses" });
    expect(response.status).toBe(401);
    expect(await json(response)).toEqual(flat401());
  });

  it("names the audience it was told", async () => {
    const emulator = await start({ audiences: ["https://ai.azure.us/"] });
    expect((await post(emulator, { token: await tokenFor(emulator, "https://ai.azure.us") })).status).toBe(
      200,
    );
    const response = await post(emulator, { token: await tokenFor(emulator) });
    expect(await json(response)).toEqual(flat401("https://ai.azure.us/"));
  });

  it("401 from exp on, to the millisecond", async () => {
    let now = 1_700_000_000_700;
    const emulator = await start({ tokenLifetimeSeconds: 1.5, clock: { now: () => now } });
    const { access_token: token, expires_on: expiresOn } = await json(await askIdentity(emulator));
    expect(expiresOn).toBe("1700000003");
    now = 1_700_000_002_999;
    expect((await post(emulator, { token })).status).toBe(200);
    now = 1_700_000_003_000;
    const response = await post(emulator, { token });
    expect(response.status).toBe(401);
    expect(await json(response)).toEqual(flat401());
    expect(last(emulator)).toMatchObject({
      tokenId: decodeJwt(token).uti,
      authorization: { verdict: "expired", expiresOn: 1_700_000_003_000 },
    });
  });

  it("asks a function for the lifetime of each token", async () => {
    const emulator = await start({
      clock: { now: () => 1_700_000_000_000 },
      platformCache: false,
      tokenLifetimeSeconds: ({ count, resource }) => (resource === AI ? count * 100 : 0),
    });
    expect((await json(await askIdentity(emulator))).expires_on).toBe("1700000100");
    expect((await json(await askIdentity(emulator))).expires_on).toBe("1700000200");
    const refused = await askIdentity(emulator, { resource: COGNITIVE });
    expect(refused.status).toBe(500);
    expect((await json(refused)).message).toContain("tokenLifetimeSeconds");
  });

  it("401 for revoked tokens; new ones are good", async () => {
    const emulator = await start({ platformCache: false });
    const old = [await tokenFor(emulator), await tokenFor(emulator)];
    expect(emulator.revokeTokens()).toBe(2);
    expect(emulator.revokeTokens()).toBe(0);
    const fresh = await tokenFor(emulator);
    for (const token of old) {
      const response = await post(emulator, { token });
      expect(response.status).toBe(401);
      expect(await json(response)).toEqual(flat401());
      expect(last(emulator)?.authorization?.verdict).toBe("revoked");
    }
    expect((await post(emulator, { token: fresh })).status).toBe(200);
    expect(emulator.revokeTokens()).toBe(1);
  });

  it("401 PermissionDenied without a role, until there is one", async () => {
    const emulator = await start({ roles: ["Owner"] });
    const token = await tokenFor(emulator);
    const response = await post(emulator, { token });
    expect(response.status).toBe(401);
    expect(await json(response)).toEqual(
      resourceError("missing-role", { principal: emulator.identity.principalId }).body,
    );
    expect(last(emulator)?.authorization?.verdict).toBe("missing-role");
    emulator.foundry.setRoles(["5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"]);
    expect((await post(emulator, { token })).status).toBe(200);
    // OpenAI User does not include models of other publishers.
    const other = await post(emulator, { token, path: "/anthropic/v1/messages" });
    expect(other.status).toBe(401);
    expect(await json(other)).toEqual(resourceError("missing-role-unnamed").body);
    expect(() => emulator.foundry.setRoles(["King"])).toThrow(KeylessError);
  });

  it("403 for a key", async () => {
    const emulator = await start();
    for (const name of ["api-key", "x-api-key"]) {
      const response = await post(emulator, { headers: { [name]: "0123456789abcdef" } });
      expect(response.status).toBe(403);
      expect(await json(response)).toEqual(resourceError("keys-disabled").body);
    }
    expect(inspect(emulator.requests)).not.toContain("0123456789abcdef");
  });

  it("404 for unknown deployments and paths", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const chat = { messages: [{ role: "user", content: "x" }] };
    const refused: [Call, unknown][] = [
      [{ body: { model: "gpt-9", input: "x" } }, DEPLOYMENT_NOT_FOUND],
      [
        { path: "/openai/deployments/gpt-9/chat/completions?api-version=2024-10-21", body: chat },
        DEPLOYMENT_NOT_FOUND,
      ],
      [{ path: "/responses" }, NOT_FOUND],
      [{ path: "/openai/v1/responses/responses" }, NOT_FOUND],
      [{ path: "/openai/deployments/gpt-4o/chat/completions", body: chat }, NOT_FOUND],
    ];
    for (const [call, body] of refused) {
      const response = await post(emulator, { ...call, token });
      expect(response.status).toBe(404);
      expect(await json(response)).toEqual(body);
    }
  });

  it("400 for api-version", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const refused = [
      ["/openai/v1/responses?api-version=2024-10-21", "api-version"],
      ["/openai/responses?api-version=soon", "api-version-unsupported"],
      ["/openai/responses?api-version=2024-10-21", "api-version-too-old"],
    ] as const;
    for (const [path, error] of refused) {
      const response = await post(emulator, { token, path });
      expect(response.status).toBe(400);
      expect(await json(response)).toEqual(resourceError(error).body);
    }
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${emulator.foundry.url}/openai/v1/models?api-version=1`, { headers })).status).toBe(
      400,
    );
  });

  it("400 for a body that cannot be used, 413 for one that is too large", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const bodies = [
      [],
      { input: "x" },
      { model: "gpt-5.5" },
      { model: "gpt-5.5", input: "x", previous_response_id: "resp_1" },
    ];
    for (const body of bodies) {
      const response = await post(emulator, { token, body });
      expect(response.status).toBe(400);
      expect((await json(response)).error.type).toBe("invalid_request_error");
    }
    const url = `${emulator.foundry.url}/openai/v1/responses`;
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(url, { method: "POST", headers, body: "{" })).status).toBe(400);
    // A large, allowed body in chunks without a length.
    const long = JSON.stringify({ model: "gpt-5.5", input: "a".repeat(10_000_000) });
    const body = new Blob([long]).stream();
    const allowed = await fetch(url, { method: "POST", headers, body, duplex: "half" } as RequestInit);
    expect(allowed.status).toBe(200);
    const tooLarge = await post(emulator, {
      token,
      body: { model: "gpt-5.5", input: "a".repeat(21_000_000) },
    }).then(
      (response) => response.status,
      () => "reset",
    );
    expect([413, "reset"]).toContain(tooLarge);
    expect(last(emulator)?.status).toBe(413);
  });
});

describe("faults", () => {
  it("status: Azure's own bodies, with retry-after for 429", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const cases: [number, unknown][] = [
      [400, { error: { code: "BadRequest", message: expect.any(String) } }],
      [401, flat401()],
      [403, resourceError("firewall").body],
      [404, NOT_FOUND],
      [408, { error: { code: "Timeout", message: "The operation was timeout." } }],
      [429, { error: { code: "429", message: expect.stringContaining("Please retry after 1 seconds.") } }],
      [500, { error: expect.objectContaining({ type: "server_error" }) }],
      [502, { error: { code: "502", message: "Bad Gateway" } }],
      [503, { error: { code: "ServiceUnavailable", message: expect.any(String) } }],
    ];
    for (const [status, body] of cases) {
      emulator.faults.add({ server: "foundry", kind: "status", status });
      const response = await post(emulator, { token });
      expect(response.status).toBe(status);
      expect(await json(response)).toEqual(body);
      expect(response.headers.get("retry-after")).toBe(status === 429 ? "1" : null);
      // The log has the token although the fault was sent before the check.
      expect(last(emulator)).toMatchObject({ fault: "status", tokenId: decodeJwt(token).uti });
    }
    expect((await post(emulator, { token })).status).toBe(200);
  });

  it("status: by the name of the error, and with a body and headers of one's own", async () => {
    const emulator = await start();
    const named = {
      "wrong-tenant": 400,
      "custom-subdomain-required": 400,
      "content-filter": 400,
      "bad-key": 401,
      "gateway-key": 401,
      "missing-role": 401,
      "keys-disabled": 403,
      firewall: 403,
      "public-access-disabled": 403,
      "deployment-not-found": 404,
      "rate-limited": 429,
      "server-error": 500,
    } as const;
    for (const [error, status] of Object.entries(named)) {
      emulator.faults.add({ server: "foundry", kind: "status", error } as Fault);
      const response = await post(emulator, {});
      expect(response.status).toBe(status);
      expect(await response.text()).not.toBe("");
    }
    emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 429,
      headers: { "Retry-After": "7", "x-mine": "1" },
    });
    const limited = await post(emulator, {});
    expect(limited.headers.get("x-mine")).toBe("1");
    expect(limited.headers.get("retry-after")).toBe("7");
    expect(limited.headers.get("retry-after-ms")).toBe("7000");
    expect(await limited.text()).toContain("Please retry after 7 seconds.");
    emulator.faults.add({ server: "foundry", kind: "status", status: 418, body: { tea: true } });
    expect(await json(await post(emulator, {}))).toEqual({ tea: true });
    emulator.faults.add({ server: "foundry", kind: "status", status: 204 });
    expect((await post(emulator, {})).status).toBe(204);
  });

  it("status of the identity endpoints", async () => {
    const emulator = await start();
    emulator.faults.add({ server: "identity", kind: "status", status: 500 });
    expect(await json(await askIdentity(emulator))).toMatchObject({ statusCode: 500 });
    emulator.faults.add({ server: "identity", kind: "status", status: 429 });
    const imds = await fetch(emulator.identity.imdsEndpoint);
    expect(imds.status).toBe(429);
    expect(imds.headers.get("retry-after")).toBe("1");
    expect(await json(imds)).toMatchObject({ error: "too_many_requests" });
  });

  it("body: verbatim", async () => {
    const emulator = await start();
    emulator.faults.add({ server: "identity", kind: "body", body: "<html>" });
    const response = await askIdentity(emulator);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("<html>");
    emulator.faults.add({ server: "identity", kind: "body", status: 502, body: { a: 1 } });
    expect(await json(await askIdentity(emulator))).toEqual({ a: 1 });
  });

  it("delay: then the real answer", async () => {
    const emulator = await start();
    emulator.faults.add({ server: "identity", kind: "delay", delayMs: 40 });
    const started = performance.now();
    expect((await askIdentity(emulator)).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(35);
    emulator.faults.add({ server: "foundry", kind: "delay", delayMs: 60_000 });
    const left = new AbortController();
    const refused = post(emulator, { signal: left.signal });
    await until(() => emulator.counts.foundry === 1);
    left.abort();
    await expect(refused).rejects.toThrow();
    await until(() => last(emulator)?.aborted === true);
    expect(last(emulator)).toMatchObject({ fault: "delay", status: 0 });
  });

  it("hang: until the caller leaves", async () => {
    const emulator = await start();
    emulator.faults.add({ server: "foundry", kind: "hang" });
    const left = new AbortController();
    const hanging = post(emulator, { signal: left.signal });
    await until(() => last(emulator)?.fault === "hang");
    expect(last(emulator)).toMatchObject({ status: 0, aborted: false });
    left.abort();
    await expect(hanging).rejects.toThrow();
    await until(() => last(emulator)?.aborted === true);
    expect(last(emulator)?.status).toBe(0);
  });

  it("reset: ECONNRESET", async () => {
    const emulator = await start();
    for (const server of ["identity", "foundry"] as const) {
      emulator.faults.add({ server, kind: "reset" });
      const call = server === "identity" ? askIdentity(emulator) : post(emulator, {});
      const error = await call.then(
        () => undefined,
        (reason: Error) => reason,
      );
      expect(error?.cause).toMatchObject({ code: "ECONNRESET" });
      await until(() => last(emulator)?.aborted === true);
      expect(last(emulator)).toMatchObject({ server, fault: "reset", status: 0 });
    }
  });

  it("cut-stream: a beginning without an end", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    for (const stream of [true, false]) {
      emulator.faults.add({ server: "foundry", kind: "cut-stream", afterEvents: 2 });
      const response = await post(emulator, { token, body: { model: "gpt-5.5", input: "x", stream } });
      expect(response.status).toBe(200);
      let received = "";
      const reading = (async () => {
        const decoder = new TextDecoder();
        for await (const chunk of response.body ?? []) received += decoder.decode(chunk);
      })();
      await expect(reading).rejects.toThrow();
      expect(received.split("\n\n").length - 1).toBe(stream ? 2 : 0);
      expect(received).not.toBe("");
      await until(() => last(emulator)?.aborted === true);
      expect(last(emulator)).toMatchObject({ fault: "cut-stream", status: 200 });
    }
  });

  it("cut-stream and slow-body of the identity endpoint: half a token, and one that takes its time", async () => {
    const emulator = await start();
    emulator.faults.add({ server: "identity", kind: "cut-stream" });
    const cut = await askIdentity(emulator);
    expect(cut.status).toBe(200);
    await expect(cut.text()).rejects.toThrow();
    emulator.faults.add({ server: "identity", kind: "slow-body", delayMs: 300 });
    const began = performance.now();
    const slow = await askIdentity(emulator);
    const headMs = performance.now() - began;
    const { access_token } = await json(slow);
    const wholeMs = performance.now() - began;
    expect(wholeMs - headMs).toBeGreaterThan(150);
    expect(wholeMs).toBeGreaterThanOrEqual(295);
    expect((await post(emulator, { token: access_token })).status).toBe(200);
  });

  it("wrong-audience, expired and malformed-expiry: something is wrong with the token", async () => {
    const emulator = await start();
    emulator.faults.add({ server: "identity", kind: "wrong-audience" });
    const wrong = await json(await askIdentity(emulator));
    expect(wrong.resource).toBe(AI);
    expect(decodeJwt(wrong.access_token).aud).toBe("https://management.azure.com");
    emulator.faults.add({ server: "identity", kind: "expired" });
    const expired = await json(await askIdentity(emulator));
    expect(Number(expired.expires_on)).toBeLessThan(Date.now() / 1000);
    for (const token of [wrong.access_token, expired.access_token]) {
      expect((await post(emulator, { token })).status).toBe(401);
    }
    for (const expiresOn of ["06/20/2019 02:57:58 +00:00", "", null, 17, ["x"]]) {
      emulator.faults.add({ server: "identity", kind: "malformed-expiry", expiresOn });
      const body = await json(await askIdentity(emulator));
      expect(body.expires_on).toEqual(expiresOn);
      expect((await post(emulator, { token: body.access_token })).status).toBe(200);
    }
  });

  it("are used up in order, per server, where they match, and can be taken back", async () => {
    const emulator = await start();
    const status = async (path?: string) => (await post(emulator, path === undefined ? {} : { path })).status;
    const chat = emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 500,
      match: "/chat/",
      times: 2,
    });
    const second = emulator.faults.add({ server: "foundry", kind: "status", status: 503 });
    emulator.faults.add({ server: "identity", kind: "status", status: 502 });
    expect(await status()).toBe(503);
    expect(await status("/openai/v1/chat/completions")).toBe(500);
    expect(await status()).toBe(401);
    expect([chat.hits, second.hits]).toEqual([1, 1]);
    chat.remove();
    chat.remove();
    expect(await status("/openai/v1/chat/completions")).toBe(401);
    expect((await askIdentity(emulator)).status).toBe(502);

    const all = emulator.faults.add({
      server: "foundry",
      kind: "status",
      status: 500,
      times: Number.POSITIVE_INFINITY,
      match: (request) => {
        expect(request).toMatchObject({ server: "foundry", method: "POST", query: "" });
        expect(request.headers.authorization).toBeUndefined();
        return request.path.endsWith("/responses");
      },
    });
    for (let i = 0; i < 5; i++) expect(await status()).toBe(500);
    expect(all.hits).toBe(5);
    emulator.faults.clear();
    expect(await status()).toBe(401);
  });

  it.each<[string, object]>([
    ["nothing", {}],
    ["an unknown server", { server: "other", kind: "hang" }],
    ["an unknown kind", { server: "foundry", kind: "explode" }],
    ["a kind of the other server", { server: "foundry", kind: "wrong-audience" }],
    ["no status", { server: "foundry", kind: "status" }],
    ["an impossible status", { server: "foundry", kind: "status", status: 99 }],
    ["an unknown error", { server: "foundry", kind: "status", error: "toString" }],
    ["no body", { server: "foundry", kind: "body" }],
    ["no delay", { server: "foundry", kind: "delay" }],
    ["a negative delay", { server: "foundry", kind: "delay", delayMs: -1 }],
    ["a slow body without a time", { server: "identity", kind: "slow-body" }],
    ["zero times", { server: "foundry", kind: "hang", times: 0 }],
    ["a bad match", { server: "foundry", kind: "hang", match: 3 }],
    ["bad headers", { server: "foundry", kind: "status", status: 500, headers: { "a b": "c" } }],
    ["no expiry", { server: "identity", kind: "malformed-expiry" }],
    ["no claims", { server: "foundry", kind: "claims-challenge" }],
    ["claims asked by identity", { server: "identity", kind: "claims-challenge", claims: "{}" }],
    ["a bad count", { server: "foundry", kind: "cut-stream", afterEvents: -1 }],
  ])("refuses %s", async (_name, fault) => {
    const emulator = await start();
    expect(() => emulator.faults.add(fault as Fault)).toThrow(
      expect.objectContaining({ name: "KeylessError", code: "emulator/invalid-fault" }),
    );
  });
});

describe("request log", () => {
  it("holds what happened and no secret", async () => {
    const emulator = await start({ clock: { now: () => 1_700_000_000_000 } });
    const token = await tokenFor(emulator);
    await post(emulator, { token, headers: { "user-agent": `mine ${token}` } });
    await post(emulator, { token: "opaque-secret", path: `/openai/v1/responses?sig=${token}` });
    expect(emulator.requests).toHaveLength(3);
    const uti = decodeJwt(token).uti;
    expect(emulator.requests[0]).toMatchObject({
      id: 1,
      server: "identity",
      method: "GET",
      path: "/msi/token",
      query: expect.stringContaining("api-version=2019-08-01"),
      at: 1_700_000_000_000,
      status: 200,
      durationMs: 0,
      aborted: false,
      tokenId: uti,
    });
    expect(emulator.requests[1]).toMatchObject({
      id: 2,
      server: "foundry",
      method: "POST",
      path: "/openai/v1/responses",
      status: 200,
      tokenId: uti,
      userAgent: "mine [redacted]",
      authorization: {
        scheme: "bearer",
        verdict: "valid",
        tokenId: uti,
        audience: AI,
        principalId: emulator.identity.principalId,
        expiresOn: 1_700_003_600_000,
      },
    });
    expect(emulator.requests[1]).not.toHaveProperty("query");
    const printed = inspect(emulator.requests, { depth: 9 }) + JSON.stringify(emulator.requests);
    expect(printed).not.toContain(token);
    expect(printed).not.toContain(emulator.env.IDENTITY_HEADER);
    expect(printed).not.toContain("opaque-secret");
    expect(printed).not.toMatch(/eyJ/);
  });

  it("keeps the last ones and counts all", async () => {
    const emulator = await start({ logLimit: 3 });
    for (let i = 0; i < 5; i++) await post(emulator, {});
    await askIdentity(emulator);
    expect(emulator.requests.map(({ id }) => id)).toEqual([4, 5, 6]);
    expect(emulator.counts).toEqual({ identity: 1, foundry: 5, unauthorized: 5 });
  });

  it("notes when the caller leaves a stream", async () => {
    const emulator = await start({ chunkDelayMs: 50 });
    const left = new AbortController();
    const body = { model: "gpt-5.5", input: "x", stream: true };
    const response = await post(emulator, { token: await tokenFor(emulator), body, signal: left.signal });
    await response.body?.getReader().read();
    left.abort();
    await until(() => last(emulator)?.aborted === true);
    expect(last(emulator)?.status).toBe(200);
  });
});

describe("start and stop", () => {
  it("gives the environment of a process", async () => {
    const { env, foundry, identity } = await start();
    expect(env).toEqual({
      IDENTITY_ENDPOINT: `${identity.url}/msi/token`,
      IDENTITY_HEADER: expect.stringMatching(/^[0-9a-f]{64}$/),
      AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
      FOUNDRY_RESOURCE_URL: `http://127.0.0.1:${foundry.port}`,
      FOUNDRY_TOKEN_SCOPE: "https://ai.azure.com/.default",
      FOUNDRY_MODEL_NAME: "gpt-5.5",
    });
  });

  it("stops at once, with hanging requests and idle connections, and twice", async () => {
    const emulator = await start();
    emulator.faults.add({ server: "foundry", kind: "hang" });
    await tokenFor(emulator);
    const idle = connect(emulator.identity.port, "127.0.0.1");
    await new Promise((resolve) => idle.once("connect", resolve));
    const hanging = post(emulator, {}).then(
      () => "answered",
      () => "ended",
    );
    await until(() => last(emulator)?.fault === "hang");
    const started = performance.now();
    await Promise.all([emulator.stop(), emulator.stop()]);
    expect(performance.now() - started).toBeLessThan(250);
    expect(await hanging).toBe("ended");
    idle.destroy();
    await emulator[Symbol.asyncDispose]();
    await expect(fetch(emulator.foundry.url)).rejects.toThrow();
  });

  it("says when a port is in use, and leaves nothing behind", async () => {
    const first = await start();
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port: identityPort } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const second = startEmulator({ port: first.foundry.port, identityPort });
    await expect(second).rejects.toMatchObject({
      code: "emulator/port-in-use",
      hint: expect.stringContaining("`port`"),
    });
    await expect(startEmulator({ identityPort: first.identity.port })).rejects.toMatchObject({
      code: "emulator/port-in-use",
      hint: expect.stringContaining("`identityPort`"),
    });
    expect((await start({ identityPort })).identity.port).toBe(identityPort);
  });

  it.each<[string, object]>([
    ["port", { port: 70_000 }],
    ["port", { port: "80" }],
    ["identityPort", { identityPort: -1 }],
    ["identityPort", { port: 5555, identityPort: 5555 }],
    ["tokenLifetimeSeconds", { tokenLifetimeSeconds: 0.5 }],
    ["tokenLifetimeSeconds", { tokenLifetimeSeconds: Number.NaN }],
    ["tokenLifetimeSeconds", { tokenLifetimeSeconds: Number.POSITIVE_INFINITY }],
    ["model", { model: " " }],
    ["deployments", { deployments: "gpt" }],
    ["deployments", { deployments: [1] }],
    ["roles", { roles: ["King"] }],
    ["roles", { roles: "Owner" }],
    ["audiences", { audiences: [] }],
    ["audiences", { audiences: [`${AI}/.default`] }],
    ["reply", { reply: "text" }],
    ["chunkDelayMs", { chunkDelayMs: -1 }],
    ["clock", { clock: {} }],
    ["logLimit", { logLimit: 1.5 }],
    ["platformCache", { platformCache: "no" as never }],
    ["tokenRevocation", { tokenRevocation: 1 as never }],
    ["tokenLifetime", { tokenLifetime: 5 }],
  ])("refuses a bad option: %s", async (name, options) => {
    await expect(startEmulator(options as EmulatorOptions)).rejects.toMatchObject({
      name: "KeylessError",
      code: "emulator/invalid-option",
      message: expect.stringContaining(`\`${name}\``),
    });
  });

  it.each([
    ["tokenLifetime", "tokenLifetimeSeconds"],
    ["deployment", "deployments"],
    ["chunkDelay", "chunkDelayMs"],
  ])("names the option next to an unknown one: %s", async (name, near) => {
    await expect(startEmulator({ [name]: 1 } as EmulatorOptions)).rejects.toMatchObject({
      code: "emulator/invalid-option",
      hint: expect.stringMatching(
        new RegExp(`^Did you mean ${near}\\? The options are port, .*logLimit\\.$`),
      ),
    });
  });

  it("leaves Request and Response of the program alone", async () => {
    const before = [globalThis.Request, globalThis.Response];
    await start();
    expect([globalThis.Request, globalThis.Response]).toEqual(before);
  });
});

describe("pages of other origins", () => {
  const origin = "http://127.0.0.1:5173";
  const preflight = (emulator: Emulator, from: string) =>
    fetch(`${emulator.foundry.url}/openai/v1/responses`, {
      method: "OPTIONS",
      headers: {
        origin: from,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });

  it("may not call, as in Azure", async () => {
    const response = await preflight(await start(), origin);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("may call when they are named, and read what a refusal says", async () => {
    const emulator = await start({ allowOrigins: [origin] });
    const allowed = await preflight(emulator, origin);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(origin);
    expect(allowed.headers.get("access-control-allow-headers")).toContain("authorization");
    const stranger = await preflight(emulator, "https://attacker.example");
    expect(stranger.headers.get("access-control-allow-origin")).toBeNull();

    const refused = await fetch(`${emulator.foundry.url}/openai/v1/models`, { headers: { origin } });
    expect(refused.status).toBe(401);
    expect(refused.headers.get("access-control-allow-origin")).toBe(origin);
    expect(refused.headers.get("access-control-expose-headers")).toContain("retry-after");
    emulator.faults.add({ server: "foundry", kind: "status", status: 503 });
    const faulty = await fetch(`${emulator.foundry.url}/openai/v1/models`, { headers: { origin } });
    expect(faulty.headers.get("access-control-allow-origin")).toBe(origin);
  });

  it.each([["http://127.0.0.1:5173/"], ["*"], ["127.0.0.1"]])("%s is no origin", async (given) => {
    await expect(startEmulator({ allowOrigins: [given] })).rejects.toMatchObject({
      code: "emulator/invalid-option",
    });
  });
});
