// Tests createFoundryProviders without a session: the table, its config, and values from plain
// JavaScript.

import type { CopilotSession } from "@github/copilot-sdk";
import {
  createBearerTokenProvider,
  createFoundryProviders,
  KeylessError,
  type NamedFoundryProvider,
  type TokenCredential,
} from "copilot-keyless";
import { describe, expect, test } from "vitest";
import models from "../../tables/models.json" with { type: "json" };

const WEST = "https://west.openai.azure.com";
const EAST = "https://east.services.ai.azure.us";

function thrown(call: () => unknown): KeylessError {
  try {
    call();
  } catch (error) {
    if (error instanceof KeylessError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

describe("models.json", () => {
  const rows = models as unknown as {
    name: string;
    list: NamedFoundryProvider[];
    expect?: object[];
    error?: string;
    says?: string;
  }[];

  test.each(rows)("$name", ({ list, expect: expected, error, says }) => {
    const call = () => createFoundryProviders(list.map((one) => ({ ...one, env: one.env ?? {} })));
    if (expected === undefined) {
      const found = thrown(call);
      expect(found.code).toBe(error);
      expect(found.message).toContain(says);
      expect(found.hint).toBeTruthy();
      return;
    }
    using foundry = call();
    expect(foundry.models).toEqual(expected);
    expect(foundry.providers.map(({ name }) => name)).toEqual(list.map(({ name }) => name));
  });
});

/** A credential that counts its calls per scope. */
function counting(): { credential: TokenCredential; asked: Record<string, number> } {
  const asked: Record<string, number> = {};
  const getToken = async (scope: string | string[]) => {
    asked[String(scope)] = (asked[String(scope)] ?? 0) + 1;
    return { token: `token for ${scope}`.replaceAll(" ", "-"), expiresOnTimestamp: Date.now() + 3_600_000 };
  };
  return { credential: { getToken }, asked };
}

test("clouds, scopes and types side by side; one acquisition for each scope", async () => {
  const { credential, asked } = counting();
  using foundry = createFoundryProviders([
    { name: "west", endpoint: WEST, credential, env: {}, headers: { "x-team": "a" } },
    {
      name: "dated",
      endpoint: WEST,
      credential,
      env: {},
      apiVersion: "2025-04-01-preview",
      wireApi: "completions",
    },
    { name: "gov", endpoint: EAST, credential, env: {} },
    {
      name: "claude",
      endpoint: `${WEST.replace("openai", "services.ai")}/anthropic`,
      credential,
      env: {},
      models: ["claude"],
    },
    { name: "here", endpoint: "http://127.0.0.1:5273/v1", env: {}, models: ["phi"] },
  ]);
  const plain = foundry.providers.map(({ bearerTokenProvider, ...rest }) => ({
    ...rest,
    token: bearerTokenProvider !== undefined,
  }));
  expect(plain).toEqual([
    {
      name: "west",
      type: "openai",
      wireApi: "responses",
      baseUrl: `${WEST}/openai/v1/`,
      headers: { "x-team": "a" },
      token: true,
    },
    {
      name: "dated",
      type: "azure",
      wireApi: "completions",
      baseUrl: WEST,
      azure: { apiVersion: "2025-04-01-preview" },
      token: true,
    },
    { name: "gov", type: "openai", wireApi: "responses", baseUrl: `${EAST}/openai/v1/`, token: true },
    {
      name: "claude",
      type: "anthropic",
      baseUrl: "https://west.services.ai.azure.com/anthropic",
      token: true,
    },
    { name: "here", type: "openai", wireApi: "responses", baseUrl: "http://127.0.0.1:5273/v1", token: false },
  ]);
  const given = await Promise.all(
    foundry.providers.map(({ name, bearerTokenProvider }) =>
      bearerTokenProvider?.({ providerName: name, sessionId: "s" }),
    ),
  );
  const [publicCloud, government] = ["https://ai.azure.com/.default", "https://ai.azure.us/.default"];
  expect(given.map((token) => token?.replace("token-for-", ""))).toEqual([
    publicCloud,
    publicCloud,
    government,
    publicCloud,
    undefined,
  ]);
  expect(asked).toEqual({ [publicCloud]: 1, [government]: 1 });
  expect(foundry.warnings.map(({ provider, code }) => [provider, code])).toEqual([
    ["gov", "authority-host-required"],
    ["claude", "scope-doc-conflict"],
  ]);
});

test("a session's config: the first model, or the one that is named; nothing else is touched", () => {
  using foundry = createFoundryProviders([
    {
      name: "west",
      endpoint: WEST,
      env: {},
      models: ["gpt-5.5", { id: "m", capabilities: { supports: { vision: true } } }],
    },
  ]);
  expect(foundry.sessionConfig()).toEqual({
    model: "west/gpt-5.5",
    providers: foundry.providers,
    models: [
      { id: "gpt-5.5", provider: "west" },
      { id: "m", provider: "west", capabilities: { supports: { vision: true } } },
    ],
  });
  expect(foundry.sessionConfig({ model: "west/m", streaming: true })).toMatchObject({
    model: "west/m",
    streaming: true,
  });
});

test("closing closes all; one that fails closes those before it", async () => {
  const { credential, asked } = counting();
  const west = { name: "west", endpoint: WEST, credential, env: {} };
  const foundry = createFoundryProviders([west, { ...west, name: "two" }]);
  await foundry.get("west").tokens();
  foundry.close();
  for (const name of ["west", "two"])
    await expect(foundry.get(name).tokens()).rejects.toMatchObject({ code: "token/closed" });
  const error = thrown(() =>
    createFoundryProviders([west, { ...west, name: "two", tokens: { policy: { jitterMs: -1 } } }]),
  );
  expect(error.code).toBe("policy/invalid");
  // An open first provider would share its token.
  using again = createFoundryProviders([west]);
  await again.get("west").tokens();
  expect(Object.values(asked)).toEqual([2]);
});

test.each<[unknown, string, RegExp]>([
  [undefined, "provider/conflict", /a list/],
  [[], "provider/conflict", /a list/],
  [{ name: "a" }, "provider/conflict", /a list/],
  [[null], "provider/conflict", /must be an object/],
  [["west"], "provider/conflict", /must be an object/],
  [[{ name: 5, endpoint: WEST }], "provider/conflict", /^name must be a string; it is of the type number/],
  [
    [{ name: "a", endpoint: WEST, models: "gpt-5.5" }],
    "provider/conflict",
    /^models must be a list; it is of the type string/,
  ],
  [
    [{ name: "a", endpoint: WEST, models: [5] }],
    "provider/conflict",
    /^models holds something that must be an object/,
  ],
  [
    [{ name: "a", endpoint: WEST, models: [null] }],
    "provider/conflict",
    /^models holds something that must be an object/,
  ],
  [
    [{ name: "a", endpoint: WEST, models: [{ id: 5 }] }],
    "provider/conflict",
    /^models holds something that must be a string/,
  ],
  [
    [{ name: "a", endpoint: WEST, models: [""] }],
    "provider/model",
    /^Provider "a": models\[0\]: deployment is blank/,
  ],
  [[{ name: "a", endpoint: WEST, wireApi: "x" }], "provider/conflict", /^wireApi must be/],
])("plain JavaScript that passes %o is told what is wrong", (list, code, message) => {
  const error = thrown(() => createFoundryProviders(list as NamedFoundryProvider[]));
  expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.any(String) });
});

describe("whose failure it is", () => {
  const MISSING = { statusCode: 404, errorMessage: '{"error":{"code":"DeploymentNotFound","message":""}}' };
  const credential = { getToken: () => Promise.reject(new Error("not asked")) };
  const tokens = createBearerTokenProvider(credential, "https://ai.azure.com/.default");
  const providers = createFoundryProviders([
    { name: "west", endpoint: "https://west.openai.azure.com", models: ["gpt-5.5"], tokens },
    { name: "east", endpoint: "https://east.openai.azure.com", models: ["gpt-4o"], tokens },
  ]);

  test("one that is not attached explains a failure of its own model", () => {
    const { session } = fakeSession();
    providers.get("west").attach(session);
    const error = providers.explain({ ...MISSING, model: "gpt-4o" }, session.sessionId);
    expect(error.message).toContain('no deployment "gpt-4o"');
  });

  test("a model of none is GitHub's, as long as none was asked for a token", () => {
    const { session, fire } = fakeSession();
    const told: string[] = [];
    providers.attach(session, ({ code }) => told.push(code));
    fire("model.call_failure", { data: { ...MISSING, model: "claude-haiku-4.5" } });
    expect(told).toEqual([]);
    fire("model.call_failure", { data: { ...MISSING, model: "gpt-4o" } });
    expect(told).toEqual(["model/deployment-not-found"]);
  });
});

/** A session that passes events to its listeners. */
function fakeSession() {
  const listeners: [type: string, listener: (event: object) => void][] = [];
  const session = {
    sessionId: `s${++sessions}`,
    on: (type: string, listener: (event: object) => void) => {
      listeners.push([type, listener]);
      return () => {};
    },
    sendAndWait: () => Promise.resolve(),
  } as unknown as CopilotSession;
  const fire = (type: string, event: object) => {
    for (const [wanted, listener] of listeners) if (wanted === type) listener(event);
  };
  return { session, fire };
}
let sessions = 0;
