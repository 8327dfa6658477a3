// Tests conversations of the real Copilot runtime on the hosts that the emulator plays besides App
// Service: a Foundry hosted agent, a job of GitHub Actions, an agent with an auth sidecar.

import { FoundryAgent } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { type EmulatedHosts, startEmulator } from "copilot-keyless/emulator";
import { afterEach, expect, test } from "vitest";
import { temporaryFolder } from "./support.js";

const emulator = await startEmulator({ chunkDelayMs: 0, deployments: ["chosen-deployment"] });
const { hosts, identity } = emulator;
process.env.COPILOT_HOME = temporaryFolder();
const before = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
});

/** The secrets of all hosts, which no part of a result may show. */
const SECRETS = [
  hosts.foundryHostedAgent.IDENTITY_HEADER,
  hosts.githubActions.ACTIONS_ID_TOKEN_REQUEST_TOKEN,
  hosts.azurePipelines.SYSTEM_ACCESSTOKEN,
] as string[];

const AGENT = "11111111-2222-4333-8444-555555555555";

/**
 * Two turns in the environment of a host. The token is revoked in between, unless it is a managed
 * identity's: the platform caches those.
 */
async function converse(host: keyof EmulatedHosts, options: ConstructorParameters<typeof FoundryAgent>[0]) {
  Object.assign(process.env, hosts[host]);
  const since = emulator.requests.length;
  await using agent = new FoundryAgent(options);
  expect(await agent.chat("Who are you?")).toContain("Who are you?");
  if (host !== "foundryHostedAgent") emulator.revokeTokens();
  expect(await agent.chat("Still there?")).toContain("Still there?");
  const requests = emulator.requests.slice(since);
  const told = JSON.stringify([agent.provider.credential, agent.provider.config, requests]);
  for (const secret of SECRETS) expect(told).not.toContain(secret);
  const summary = requests.map(({ server, method, path, status, authorization }) =>
    server === "identity"
      ? `${method} ${path.replace(identity.tenantId, "tenant")} ${status}`
      : `${path} ${status} ${authorization?.verdict}`,
  );
  return { agent: agent.provider, requests, summary };
}

test.each([undefined, "direct"] as const)(
  "a Foundry hosted agent: its project, its deployment and its own identity (credential: %s)",
  async (credential) => {
    const { agent, requests, summary } = await converse("foundryHostedAgent", { credential });
    const path = "/api/projects/emulator/openai/v1/responses";
    expect(summary).toEqual(["GET /msi/token 200", `${path} 200 valid`, `${path} 200 valid`]);
    const clientId = hosts.foundryHostedAgent.FOUNDRY_AGENT_INSTANCE_CLIENT_ID;
    const callers = requests.flatMap(({ authorization }) => authorization?.clientId ?? []);
    expect(new Set(callers)).toEqual(new Set([clientId]));
    expect(agent.credential).toMatchObject({ host: "foundry-hosted-agent", clientId });
    expect(agent.model).toBe("chosen-deployment");
  },
);

test("a job of GitHub Actions: an assertion, its exchange and a conversation, without az", async () => {
  const { agent, summary } = await converse("githubActions", {});
  expect(summary).toEqual([
    "GET /actions/idtoken 200",
    "POST /tenant/oauth2/v2.0/token 200",
    "/v1/responses 200 valid",
    "/v1/responses 401 revoked",
    "GET /actions/idtoken 200",
    "POST /tenant/oauth2/v2.0/token 200",
    "/v1/responses 200 valid",
  ]);
  expect(agent.credential).toMatchObject({ kind: "github-actions", host: "github-actions" });
});

test("a job of Azure Pipelines: the same with its service connection", async () => {
  const { summary } = await converse("azurePipelines", {});
  expect(summary.slice(0, 3)).toEqual([
    "POST /pipelines/oidctoken 200",
    "POST /tenant/oauth2/v2.0/token 200",
    "/v1/responses 200 valid",
  ]);
});

test("an auth sidecar: a conversation as the agent identity", async () => {
  const credential = createDirectCredential({ sidecar: { service: "Foundry", agentIdentity: AGENT } });
  const { requests, summary } = await converse("sidecar", { credential });
  const path = "/AuthorizationHeaderUnauthenticated/Foundry";
  expect(summary).toEqual([
    `GET ${path} 200`,
    "/v1/responses 200 valid",
    "/v1/responses 401 revoked",
    `GET ${path} 200`,
    "/v1/responses 200 valid",
  ]);
  const callers = requests.flatMap(({ authorization }) => authorization?.clientId ?? []);
  expect(new Set(callers)).toEqual(new Set([AGENT]));
});
