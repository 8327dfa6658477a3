// createBearerTokenProvider replaces getBearerTokenProvider in the real openai clients, with the
// same call.

import { getBearerTokenProvider, ManagedIdentityCredential } from "@azure/identity";
import { createBearerTokenProvider, type TokenProvider } from "copilot-keyless";
import { startEmulator } from "copilot-keyless/emulator";
import OpenAI, { AuthenticationError, AzureOpenAI } from "openai";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const SCOPE = "https://ai.azure.com/.default";
const MODEL = "gpt-5.5";
const LIVES_SECONDS = 240;

// The emulator, MSAL and the providers share this process's wall clock, which only tests move.
vi.useFakeTimers({ toFake: ["Date"] });

// MSAL does not cache tokens that last less than 300 s, and the platform none, so only the providers
// cache.
const emulator = await startEmulator({
  tokenLifetimeSeconds: LIVES_SECONDS,
  platformCache: false,
  chunkDelayMs: 0,
});
Object.assign(process.env, emulator.env);
afterAll(() => emulator.stop());

const credential = new ManagedIdentityCredential();

/** Creates the clients as users do, with a token function. */
function clientsOf(provide: () => Promise<string>): Record<"OpenAI" | "AzureOpenAI", OpenAI> {
  const { url } = emulator.foundry;
  return {
    OpenAI: new OpenAI({ apiKey: provide, baseURL: `${url}/openai/v1/`, maxRetries: 0 }),
    AzureOpenAI: new AzureOpenAI({
      azureADTokenProvider: provide,
      endpoint: url,
      apiVersion: "2025-04-01-preview",
      maxRetries: 0,
    }),
  };
}

const messages = [{ role: "user" as const, content: "Say hello" }];

const CALLS = {
  chat: async (client: OpenAI) =>
    (await client.chat.completions.create({ model: MODEL, messages })).choices[0]?.message.content ?? "",
  "chat, streamed": async (client: OpenAI) => {
    let text = "";
    for await (const chunk of await client.chat.completions.create({
      model: MODEL,
      messages,
      stream: true,
    })) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    return text;
  },
  responses: async (client: OpenAI) =>
    (await client.responses.create({ model: MODEL, input: "Say hello" })).output_text,
  "responses, streamed": async (client: OpenAI) => {
    let text = "";
    for await (const event of await client.responses.create({
      model: MODEL,
      input: "Say hello",
      stream: true,
    })) {
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    return text;
  },
};

const lastRequest = () => emulator.requests.findLast(({ server }) => server === "foundry");

describe.each([
  ["createBearerTokenProvider", createBearerTokenProvider(credential, SCOPE)],
  ["getBearerTokenProvider", getBearerTokenProvider(credential, SCOPE)],
])("%s", (_name, provide) => {
  const clients = clientsOf(provide);
  let asked: number;
  beforeAll(() => {
    asked = emulator.counts.identity;
  });

  describe.each(["OpenAI", "AzureOpenAI"] as const)("in %s", (name) => {
    const kinds = Object.keys(CALLS) as (keyof typeof CALLS)[];
    test.each(kinds)("%s", async (kind) => {
      expect(await CALLS[kind](clients[name])).toContain("Say hello");
      expect(lastRequest()).toMatchObject({
        status: 200,
        authorization: { scheme: "bearer", verdict: "valid" },
      });
    });
  });

  test("all with one token", () => {
    expect(emulator.counts.identity - asked).toBe(1);
  });
});

describe("the token in between", () => {
  let provide: TokenProvider;
  let clients: ReturnType<typeof clientsOf>;
  beforeAll(() => {
    provide = createBearerTokenProvider(credential, SCOPE);
    clients = clientsOf(provide);
  });

  test.each(["OpenAI", "AzureOpenAI"] as const)(
    "expires between two requests of %s, and nobody notices",
    async (name) => {
      await CALLS.chat(clients[name]);
      const before = lastRequest()?.tokenId;
      vi.setSystemTime(Date.now() + LIVES_SECONDS * 1_000);
      expect(await CALLS["responses, streamed"](clients[name])).toContain("Say hello");
      expect(lastRequest()).toMatchObject({ status: 200 });
      expect(lastRequest()?.tokenId).not.toBe(before);
    },
  );

  test("is revoked: a 401 from the client, which recovers after invalidate()", async () => {
    const client = clients.OpenAI;
    await CALLS.chat(client);
    emulator.revokeTokens();
    await expect(CALLS.chat(client)).rejects.toThrow(AuthenticationError);
    expect(lastRequest()).toMatchObject({ status: 401, authorization: { verdict: "revoked" } });

    expect(provide.invalidate(await provide())).toBe(true);
    expect(await CALLS.chat(client)).toContain("Say hello");
    expect(lastRequest()).toMatchObject({ status: 200 });
  });

  test("is revoked while getBearerTokenProvider caches it: it has no invalidate(), each call is a 401", async () => {
    const client = clientsOf(getBearerTokenProvider(credential, SCOPE)).OpenAI;
    await CALLS.chat(client);
    emulator.revokeTokens();
    for (let n = 0; n < 3; n += 1) await expect(CALLS.chat(client)).rejects.toThrow(AuthenticationError);
  });
});

test("the options of getBearerTokenProvider do no harm", async () => {
  const options = { abortSignal: new AbortController().signal };
  expect(await createBearerTokenProvider(credential, SCOPE, options as object)()).toMatch(/^eyJ/);
});
