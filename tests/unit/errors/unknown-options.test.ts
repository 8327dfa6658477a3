// Tests that an option that does not exist is refused by its name, with the next step: a misspelled
// one would be ignored in silence.

import {
  createBearerTokenProvider,
  createFoundryProvider,
  createFoundryProviders,
  FoundryAgent,
  type TokenCredential,
} from "copilot-keyless";
import { createChatHandler } from "copilot-keyless/azure-functions";
import { createDirectCredential, probe, streamChat } from "copilot-keyless/direct";
import { createEdgeChatHandler, createEdgeGateway } from "copilot-keyless/edge";
import { createChatHandler as createHttpChatHandler } from "copilot-keyless/http";
import { afterAll, describe, expect, test } from "vitest";
import { LISTED_SDK } from "../../../js/copilot/session-fields.js";
import { installedVersion } from "../../../js/platform/installed.js";
import { failure } from "../../support/credential.js";

const endpoint = "https://myres.openai.azure.com";
const credential: TokenCredential = {
  getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const scope = "https://ai.azure.com/.default";
const valid = { endpoint, credential, env: {} };
const agent = new FoundryAgent(valid);
const tokens = createBearerTokenProvider(credential, scope);
afterAll(async () => {
  await agent.close();
  tokens.close();
});

const FUNCTIONS: [name: string, code: string, call: (more: object) => unknown][] = [
  ["FoundryAgent", "agent/invalid-option", (more) => new FoundryAgent({ ...valid, ...more }).close()],
  ["conversation", "agent/invalid-option", (more) => agent.conversation(more)],
  ["chat", "agent/invalid-option", (more) => agent.chat("Hello", more)],
  ["close", "agent/invalid-option", (more) => agent.conversation().close(more)],
  ["createFoundryProvider", "provider/conflict", (more) => createFoundryProvider({ ...valid, ...more })],
  [
    "createFoundryProviders",
    "provider/conflict",
    (more) => createFoundryProviders([{ name: "west", ...valid, ...more }]),
  ],
  [
    "createBearerTokenProvider",
    "policy/invalid",
    (more) => createBearerTokenProvider(credential, scope, more).close(),
  ],
  [
    "tokens of createFoundryProvider",
    "policy/invalid",
    (more) => createFoundryProvider({ ...valid, tokens: more }),
  ],
  [
    "createDirectCredential",
    "credential/configuration",
    (more) => createDirectCredential({ env: {}, ...more }),
  ],
  ["createChatHandler", "chat/invalid-option", (more) => createChatHandler({ ...valid, ...more })],
  [
    "createEdgeChatHandler",
    "chat/invalid-option",
    (more) => createEdgeChatHandler({ ...valid, authorize: "anonymous", ...more }),
  ],
  [
    "createEdgeGateway",
    "gateway/invalid-option",
    (more) => createEdgeGateway({ ...valid, key: "key-of-the-tests", ...more }),
  ],
];

describe.each(FUNCTIONS)("%s", (_name, code, call) => {
  const refused = async (more: object) => {
    await expect((async () => call(more))()).rejects.toMatchObject({
      name: "KeylessError",
      code,
      message: expect.stringContaining("pl4ntedOption"),
      hint: expect.stringMatching(/^The options are \w+(, .*)?\.$/),
    });
  };

  test("refuses an unknown option and lists those that there are", async () => {
    await refused({ pl4ntedOption: true });
    await refused({ pl4ntedOption: null });
  });

  test("takes one that is undefined, as if it was left out", () => {
    const took = call({ pl4ntedOption: undefined });
    // The prompt of a closed agent's chat is not sent.
    if (took instanceof Promise) took.catch(() => {});
  });
});

test.each([
  [{ stateles: true }, "stateless"],
  [{ endPoint: endpoint }, "endpoint"],
  [{ timeOutMs: 5 }, "timeoutMs"],
  [{ systemMesage: "x" }, "systemMessage"],
])("%o: did you mean %s?", (more, name) => {
  expect(() => new FoundryAgent({ ...valid, ...more } as object)).toThrow(
    expect.objectContaining({
      code: "agent/invalid-option",
      hint: expect.stringContaining(`Did you mean ${name}? The options are `),
    }),
  );
});

test("hints do not name deprecated options", async () => {
  const hints = FUNCTIONS.map(async ([, , call]) => {
    const error = await failure((async () => call({ pl4ntedOption: true }))());
    return (error as { hint: string }).hint;
  });
  expect((await Promise.all(hints)).join()).not.toMatch(/\b(sessions|keepHistory|forget)\b/);
});

describe.each([
  ["FoundryAgent", "agent/invalid-option", (session: object) => new FoundryAgent({ ...valid, session })],
  [
    "createHttpChatHandler",
    "chat/invalid-option",
    (session: object) => createHttpChatHandler({ ...valid, authorize: "anonymous", session }),
  ],
] as const)("session of %s", (_name, code, create) => {
  test.each([
    ["avalableTools", "Did you mean availableTools? "],
    ["pl4ntedField", ""],
  ])("%s is refused", (name, guess) => {
    expect(() => create({ [name]: [] })).toThrow(
      expect.objectContaining({
        code,
        message: `There is no session.${name}`,
        hint: `${guess}The fields are those of SessionConfig of the Copilot SDK.`,
      }),
    );
  });

  test("fields of the SDK pass, and those that are undefined", () => {
    const session = { hooks: {}, memory: undefined, pl4ntedField: undefined, suppressResumeEvent: true };
    expect(() => create(session)).not.toThrow();
  });
});

test("the listed fields of a session are those of the SDK that is installed here", () => {
  expect(installedVersion("@github/copilot-sdk")).toBe(LISTED_SDK);
});

test("what conflicts with the token callback or with the agent is no option", () => {
  // With a providerName the runtime finds no callback (SDK 1.0.14).
  expect(() => createFoundryProvider({ ...valid, providerName: "Foundry" } as object)).toThrow(
    expect.objectContaining({ message: "There is no option providerName." }),
  );
  for (const name of ["model", "provider", "providers", "models", "streaming", "cloud"]) {
    expect(() => new FoundryAgent({ ...valid, session: { [name]: {} } })).toThrow(
      expect.objectContaining({ message: `session.${name} cannot be set: the agent sets it` }),
    );
  }
});

test("clients of the Azure SDK may pass options of their own with a call for a token", async () => {
  const options = { requestOptions: { timeout: 5 }, tracingOptions: {} } as object;
  expect(await tokens.getToken(options)).toMatchObject({ token: "t" });
  const direct = createDirectCredential({ env: {}, timeoutMs: 1 });
  await expect(direct.getToken(scope, options)).rejects.not.toMatchObject({
    message: expect.stringContaining("There is no option"),
  });
});

test("direct calls to a model refuse them, too", async () => {
  await expect(probe({ endpoint, modell: "x" } as never)).rejects.toMatchObject({
    hint: expect.stringContaining("Did you mean model?"),
  });
  const stream = streamChat({ endpoint, prompt: "Hi", modell: "x" } as never);
  await expect(stream.next()).rejects.toMatchObject({ hint: expect.stringContaining("Did you mean model?") });
});
