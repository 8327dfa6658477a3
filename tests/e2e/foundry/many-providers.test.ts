// Uses several Foundry endpoints in one session: the real Copilot runtime, and two emulators with
// different audiences and issuers. West uses the real @azure/identity, east a credential of the
// test.

import { CopilotClient, type CopilotSession } from "@github/copilot-sdk";
import { createFoundryProviders, parseTokenResponse, type TokenCredential } from "copilot-keyless";
import { type Emulator, type ReplyFunction, startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
import { denied, emulated } from "../support.js";

const AI = "https://ai.azure.com";
const COGNITIVE = "https://cognitiveservices.azure.com";
const HELPER = "You are the helper of the test.";

const said =
  (where: string): ReplyFunction =>
  ({ prompt, model, messages, toolResults }) => {
    if (prompt === "Delegate" && toolResults.length === 0 && !isHelper(messages)) {
      const order = { agent_type: "helper", name: "h", description: "helps", prompt: "Work", mode: "sync" };
      return { toolCalls: [{ name: "task", arguments: order }] };
    }
    return `${where} ${model}: ${prompt}`;
  };

function isHelper(messages: readonly { role: string; text: string }[]): boolean {
  return messages.some(({ role, text }) => role === "system" && text.includes(HELPER));
}

// MSAL does not cache tokens shorter than five minutes.
const west = await emulated({
  audiences: [AI],
  tokenLifetimeSeconds: 240,
  platformCache: false,
  reply: said("west"),
});
const east = await startEmulator({
  chunkDelayMs: 0,
  platformCache: false,
  audiences: [COGNITIVE],
  deployments: ["gpt-5.5", "team-gpt"],
  reply: said("east"),
});
afterAll(() => east.stop());

/** Acquires tokens from the second emulator's identity endpoint. */
const eastCredential: TokenCredential = {
  getToken: async (scopes) => {
    const resource = String(scopes).replace("/.default", "");
    const requestedAt = Date.now();
    const response = await fetch(
      `${east.identity.endpoint}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}`,
      { headers: { "x-identity-header": east.env.IDENTITY_HEADER } },
    );
    return parseTokenResponse(await response.text(), { requestedAt });
  },
};

// Tests revoke tokens more often than the default policy replaces them.
const tokens = { policy: { invalidateIntervalMs: 100 } };
const foundry = createFoundryProviders([
  {
    name: "west",
    endpoint: `${west.foundry.url}/openai/v1/`,
    models: ["gpt-5.5", "gpt-4o"],
    scope: `${AI}/.default`,
    tokens,
  },
  {
    name: "project",
    endpoint: `${west.foundry.url}/api/projects/p1`,
    model: "gpt-5.5",
    scope: `${AI}/.default`,
    tokens,
  },
  {
    name: "east",
    endpoint: `${east.foundry.url}/openai/v1/`,
    models: ["gpt-5.5", { id: "team", model: "gpt-5.5", deployment: "team-gpt" }],
    wireApi: "completions",
    credential: eastCredential,
    scope: `${COGNITIVE}/.default`,
    tokens,
    env: {},
  },
]);
const client = new CopilotClient({ useLoggedInUser: false });
await client.start();
afterAll(async () => {
  await client.stop();
  foundry.close();
});

const SILENT = { ...denied, streaming: true };

async function ask(session: CopilotSession, prompt: string): Promise<string | undefined> {
  return (await session.sendAndWait({ prompt }, 30_000))?.data.content;
}

/** Returns the requests that some work sends to each resource: path, status, audience. */
async function during(work: () => Promise<unknown>): Promise<Record<"west" | "east", unknown[]>> {
  const marks = new Map([west, east].map((emulator) => [emulator, emulator.requests.length]));
  await work();
  const seen = (emulator: Emulator) =>
    emulator.requests
      .slice(marks.get(emulator))
      .filter(({ server }) => server === "foundry")
      .map(({ method, path, status, authorization }) => [
        `${method} ${path}`,
        status,
        authorization?.audience,
      ]);
  return { west: seen(west), east: seen(east) };
}

const RESPONSES = ["POST /openai/v1/responses", 200, AI];
const COMPLETIONS = ["POST /openai/v1/chat/completions", 200, COGNITIVE];

test("each model is asked at its own endpoint, with a token of its own audience", async () => {
  const session = await client.createSession(foundry.sessionConfig(SILENT));
  const seen = await during(async () => {
    expect(await ask(session, "One")).toBe("west gpt-5.5: One");
    await session.setModel("east/team");
    expect(await ask(session, "Two")).toBe("east team-gpt: Two");
    await session.setModel("west/gpt-4o");
    expect(await ask(session, "Three")).toBe("west gpt-4o: Three");
    await session.setModel("project/gpt-5.5");
    expect(await ask(session, "Four")).toBe("west gpt-5.5: Four");
    await session.setModel("east/gpt-5.5");
    expect(await ask(session, "Five")).toBe("east gpt-5.5: Five");
  });
  expect(seen.west).toEqual([RESPONSES, RESPONSES, ["POST /api/projects/p1/openai/v1/responses", 200, AI]]);
  expect(seen.east).toEqual([COMPLETIONS, COMPLETIONS]);
  // West and the project share a token, because they have the same credential and scope.
  expect([west.counts.identity, east.counts.identity]).toEqual([1, 1]);
  await session.disconnect();
});

test("a session begins with the model that it names", async () => {
  const session = await client.createSession(foundry.sessionConfig({ ...SILENT, model: "east/team" }));
  expect(await ask(session, "Hello")).toBe("east team-gpt: Hello");
  await session.disconnect();
});

test("a custom agent works with a model of another provider", async () => {
  const session = await client.createSession(
    foundry.sessionConfig({
      ...SILENT,
      availableTools: ["task"],
      customAgents: [{ name: "helper", description: "helps", prompt: HELPER, tools: [], model: "east/team" }],
    }),
  );
  const seen = await during(async () => {
    expect(await ask(session, "Delegate")).toBe("west gpt-5.5: Delegate");
  });
  expect(seen).toEqual({ west: [RESPONSES, RESPONSES], east: [COMPLETIONS] });
  await session.disconnect();
});

// Both have a gpt-5.5, and the runtime's failure event contains only that name.
test.each([
  ["east/gpt-5.5", "west/gpt-5.5", east, west],
  ["east/team", "west/gpt-4o", east, west],
  ["west/gpt-5.5", "east/gpt-5.5", west, east],
  ["west/gpt-4o", "east/team", west, east],
])(
  "%s is revoked: it recovers in the same turn, and %s keeps its token",
  async (revoked, other, at, elsewhere) => {
    const session = await client.createSession(foundry.sessionConfig({ ...SILENT, model: revoked }));
    const stop = foundry.attach(session);
    await ask(session, "Before");
    await session.setModel(other);
    await ask(session, "Before");
    await session.setModel(revoked);
    const before = { at: { ...at.counts }, elsewhere: { ...elsewhere.counts } };
    at.revokeTokens();
    expect(await ask(session, "After")).toContain("After");
    await session.setModel(other);
    expect(await ask(session, "After")).toContain("After");
    expect(at.counts.unauthorized).toBe(before.at.unauthorized + 1);
    expect(at.counts.identity).toBe(before.at.identity + 1);
    expect(elsewhere.counts.unauthorized).toBe(before.elsewhere.unauthorized);
    expect(elsewhere.counts.identity).toBe(before.elsewhere.identity);
    stop();
    stop();
    await session.disconnect();
  },
);

test("the rejected provider reports the rejection, and detaching restores the session", async () => {
  const session = await client.createSession(foundry.sessionConfig(SILENT));
  const failures: unknown[] = [];
  const stop = foundry.attach(session, (error) => failures.push(error.code));
  await session.setModel("east/team");
  east.foundry.setRoles([]);
  const idle = new Promise((resolve) => session.on("session.idle", resolve));
  const error = await ask(session, "May I?").catch((thrown: unknown) => thrown);
  // The SDK would mistake this turn's idle event for the end of the next one.
  await idle;
  expect(error).toMatchObject({ name: "KeylessError", code: "model/missing-role", status: 401 });
  expect(failures).toEqual(["model/missing-role", "model/missing-role", "model/missing-role"]);
  east.foundry.setRoles(["Foundry User"]);
  await session.setModel("west/gpt-5.5");
  expect(await ask(session, "And you?")).toContain("And you?");
  stop();
  expect(Object.hasOwn(session, "sendAndWait")).toBe(false);
  await session.disconnect();
});

test("no list of models is asked for, and no request went without a token", () => {
  for (const { requests } of [west, east])
    for (const { server, method, authorization } of requests)
      if (server === "foundry") expect([method, authorization?.scheme]).toEqual(["POST", "bearer"]);
});

test("an unknown model or provider is reported with the existing ones", () => {
  expect(() => foundry.sessionConfig({ model: "east/gpt-4o" })).toThrow(
    expect.objectContaining({ code: "provider/model", hint: expect.stringContaining("east/team") }),
  );
  expect(() => foundry.get("north")).toThrow(
    expect.objectContaining({ code: "provider/name", hint: expect.stringContaining("west, project, east") }),
  );
  expect(foundry.get("east").tokens.status.state).toBe("fresh");
  // The session can also use a GitHub model.
  expect(foundry.sessionConfig({ model: "gpt-5" }).model).toBe("gpt-5");
});
