// Tests several providers in one session without the callback: tokens that stay as they are, how to
// replace them, and providers that are added while the session lives. And lists of models.

import { CopilotClient, type CopilotSession } from "@github/copilot-sdk";
import { createFoundryProvider, createFoundryProviders } from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { denied, emulated, straightCredential } from "../support.js";

const emulator = await emulated({
  platformCache: false,
  deployments: ["gpt-5.5", "gpt-4o", "team-gpt"],
  reply: ({ model, messages }) => `${model} ${messages.filter(({ role }) => role === "user").length}`,
});
const shared = {
  credential: straightCredential(emulator),
  tokens: { policy: { invalidateIntervalMs: 0 } },
};
const west = createFoundryProviders([{ ...shared, name: "west", models: ["gpt-5.5", "gpt-4o"] }]);
const team = createFoundryProviders([
  { ...shared, name: "team", models: [{ id: "fast", model: "gpt-4o", deployment: "team-gpt" }] },
]);
const both = createFoundryProviders([
  { ...shared, name: "west", models: ["gpt-5.5", "gpt-4o"] },
  { ...shared, name: "team", models: [{ id: "fast", model: "gpt-4o", deployment: "team-gpt" }] },
]);
const client = new CopilotClient({ useLoggedInUser: false, onListModels: both.listModels });
await client.start();
afterAll(async () => {
  await client.stop();
  for (const providers of [west, team, both]) providers.close();
});

/** Sends a prompt, and waits until the session is idle: the SDK would mistake that for the next end. */
async function ask(session: CopilotSession): Promise<string | undefined> {
  const idle = new Promise((resolve) => session.on("session.idle", resolve));
  try {
    return (await session.sendAndWait({ prompt: "Hello" }))?.data.content;
  } finally {
    await idle;
  }
}

test("staticConfig has a token in place of each callback", async () => {
  const config = await both.staticConfig();
  expect(config.models).toEqual(both.models);
  expect(
    config.providers.map(({ name, bearerToken, bearerTokenProvider }) => [
      name,
      typeof bearerToken,
      bearerTokenProvider,
    ]),
  ).toEqual([
    ["west", "string", undefined],
    ["team", "string", undefined],
  ]);
  const session = await client.createSession({ ...denied, model: both.model, ...config });
  expect(await ask(session)).toBe("gpt-5.5 1");
  await session.setModel("team/fast");
  expect(await ask(session)).toBe("team-gpt 2");
  await session.disconnect();
});

test("a rejected token is explained and forgotten; resumed with new ones, the session goes on", async () => {
  const session = await client.createSession({
    ...denied,
    model: both.model,
    ...(await both.staticConfig()),
  });
  const failures: string[] = [];
  both.attach(session, ({ code }) => failures.push(code));
  await ask(session);
  emulator.revokeTokens();
  await expect(ask(session)).rejects.toMatchObject({ code: "model/token-invalid", status: 401 });
  expect(new Set(failures)).toEqual(new Set(["model/token-invalid"]));
  await expect(both.rotate(session)).rejects.toMatchObject({
    code: "sdk/rotate-failed",
    hint: expect.stringContaining("resumeSession"),
  });
  await session.disconnect();
  const resumed = await client.resumeSession(session.sessionId, {
    ...denied,
    model: both.model,
    ...(await both.staticConfig()),
  });
  expect(await ask(resumed)).toBe("gpt-5.5 3");
  await resumed.disconnect();
});

test("a session with the callbacks is left alone by rotate, and resumes with resumeConfig", async () => {
  const session = await client.createSession(both.sessionConfig(denied));
  await ask(session);
  await both.rotate(session);
  both.attach(session);
  emulator.revokeTokens();
  expect(await ask(session)).toBe("gpt-5.5 2");
  await session.disconnect();
  const resumed = await client.resumeSession(
    session.sessionId,
    both.resumeConfig({ ...denied, model: "team/fast" }),
  );
  expect(await ask(resumed)).toBe("team-gpt 3");
  await resumed.disconnect();
});

test("a provider is added to a live session, with a static token", async () => {
  const session = await client.createSession(west.sessionConfig(denied));
  await ask(session);
  await session.rpc.provider.add(await team.staticConfig());
  await session.setModel("team/fast");
  expect(await ask(session)).toBe("team-gpt 2");
  await session.setModel("west/gpt-4o");
  expect(await ask(session)).toBe("gpt-4o 3");
  // The runtime has no callback for one that is added later. Resumed with all, the session has.
  await session.disconnect();
  const resumed = await client.resumeSession(
    session.sessionId,
    both.sessionConfig({ ...denied, model: "team/fast" }),
  );
  expect(await ask(resumed)).toBe("team-gpt 4");
  await resumed.disconnect();
});

test("explain finds the provider by the model, and takes any for one that none has", () => {
  const failure = { statusCode: 404, errorMessage: '{"error":{"code":"DeploymentNotFound"}}' };
  for (const model of ["team-gpt", "gpt-5.5", "other", undefined]) {
    expect(both.explain({ ...failure, model })).toMatchObject({
      code: "model/deployment-not-found",
      hint: expect.any(String),
    });
  }
  expect(both.explain({ ...failure, model: "team-gpt" }).message).toContain("team-gpt");
});

test("listModels says what is configured, and client.listModels() returns it", async () => {
  const limits = createFoundryProviders([
    {
      ...shared,
      name: "west",
      maxOutputTokens: 100,
      models: [
        { model: "gpt-5.5", name: "Big", maxContextWindowTokens: 9_000, maxPromptTokens: 8_000 },
        { model: "gpt-4o", capabilities: { supports: { vision: true } } },
      ],
    },
  ]);
  const supports = { vision: false, reasoningEffort: false };
  expect(limits.listModels()).toEqual([
    {
      id: "west/gpt-5.5",
      name: "Big",
      capabilities: {
        supports,
        limits: { max_context_window_tokens: 9_000, max_prompt_tokens: 8_000, max_output_tokens: 100 },
      },
    },
    {
      id: "west/gpt-4o",
      name: "west/gpt-4o",
      capabilities: {
        supports: { ...supports, vision: true },
        limits: { max_context_window_tokens: 0, max_output_tokens: 100 },
      },
    },
  ]);
  limits.close();
  expect((await client.listModels()).map(({ id }) => id)).toEqual([
    "west/gpt-5.5",
    "west/gpt-4o",
    "team/fast",
  ]);
  using single = createFoundryProvider({ ...shared, model: "gpt-4o", maxContextWindowTokens: 5_000 });
  expect(single.listModels()).toEqual([
    {
      id: "gpt-4o",
      name: "gpt-4o",
      capabilities: { supports, limits: { max_context_window_tokens: 5_000 } },
    },
  ]);
});
