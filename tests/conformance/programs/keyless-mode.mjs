// Runs the Copilot runtime with an Azure provider and no credential, when it finds a managed
// identity itself, and our agent for comparison.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CopilotClient } from "@github/copilot-sdk";
import {
  createBearerTokenProvider,
  createFoundryProvider,
  FoundryAgent,
  parseTokenResponse,
} from "copilot-keyless";
import { startEmulator } from "copilot-keyless/emulator";
import { outcomeOf, report, SCOPE } from "./systems.mjs";

const [, , system, scenario] = process.argv;
const PROJECT = "/api/projects/tests";
const approve = () => ({ kind: "approve-once" });

// The model asks the agent's shell tool for the length of the identity endpoint's secret, and
// repeats the result.
const LOOK = {
  command: `printf '<%s>' "$IDENTITY_HEADER" | wc -c`,
  description: "Measure",
  initial_wait: 10,
};
const emulator = await startEmulator({
  chunkDelayMs: 0,
  platformCache: false,
  reply: ({ prompt, toolResults }) => {
    if (prompt !== "look") return "Hello.";
    const [result] = toolResults;
    return result ? `It says ${result.text}` : { toolCalls: [{ name: "bash", arguments: LOOK }] };
  },
});
const home = mkdtempSync(join(tmpdir(), "copilot-keyless-"));
Object.assign(process.env, emulator.env, { COPILOT_HOME: home });

/** A credential without a cache, because MSAL's returns a revoked token again. */
const credential = {
  async getToken(scope) {
    const requestedAt = Date.now();
    const url = new URL(process.env.IDENTITY_ENDPOINT);
    url.searchParams.set("api-version", "2019-08-01");
    url.searchParams.set("resource", scope.replace("/.default", ""));
    const response = await fetch(url, { headers: { "X-IDENTITY-HEADER": process.env.IDENTITY_HEADER } });
    return parseTokenResponse(await response.text(), { requestedAt });
  },
};

const SYSTEMS = {
  async runtime(path) {
    const client = new CopilotClient({ useLoggedInUser: false });
    await client.start();
    const session = await client.createSession({
      model: process.env.FOUNDRY_MODEL_NAME,
      provider: { type: "azure", baseUrl: `${emulator.foundry.url}${path}/openai/v1/`, wireApi: "responses" },
      onPermissionRequest: approve,
    });
    return {
      chat: async (prompt) => (await session.sendAndWait({ prompt }, 30_000))?.data?.content,
      close: () => client.stop(),
    };
  },
  async createFoundryProvider(path) {
    const foundry = createFoundryProvider({
      endpoint: `${emulator.foundry.url}${path}/openai/v1/`,
      tokens: createBearerTokenProvider(credential, SCOPE),
    });
    const { IDENTITY_ENDPOINT: _endpoint, IDENTITY_HEADER: _header, ...env } = process.env;
    const client = new CopilotClient({ useLoggedInUser: false, env });
    await client.start();
    const session = await client.createSession(foundry.sessionConfig({ onPermissionRequest: approve }));
    foundry.attach(session);
    return {
      chat: async (prompt) => (await session.sendAndWait({ prompt }, 30_000))?.data?.content,
      close: () => client.stop(),
    };
  },
  async FoundryAgent(path) {
    const agent = new FoundryAgent({
      endpoint: `${emulator.foundry.url}${path}/openai/v1/`,
      tokens: createBearerTokenProvider(credential, SCOPE),
      session: { onPermissionRequest: approve },
    });
    return { chat: (prompt) => agent.chat(prompt), close: () => agent.close() };
  },
};

const SCENARIOS = {
  async revoked(chat) {
    await chat("first");
    emulator.revokeTokens();
    return outcomeOf(async () => ((await chat("second")) ? "answered" : "nothing"));
  },
  project: (chat) => outcomeOf(async () => ((await chat("first")) ? "answered" : "nothing")),
  async shell(chat) {
    const said = await chat("look");
    // The brackets are two of the characters.
    return { secretLength: Number(/It says (\d+)/.exec(said)?.[1]) - 2 };
  },
};

const { chat, close } = await SYSTEMS[system](scenario === "project" ? PROJECT : "");
const found = await SCENARIOS[scenario](chat);
const resources = emulator.requests
  .filter(({ server }) => server === "identity")
  .map(({ query }) => new URLSearchParams(query).get("resource"));
report({
  answered: found.token === "answered",
  secretLength: found.secretLength,
  unauthorized: emulator.counts.unauthorized,
  resources,
});
await close();
await emulator.stop();
rmSync(home, { recursive: true, force: true, maxRetries: 3 });
process.exit();
