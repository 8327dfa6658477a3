// Tests the direct credential on the other hosts that the emulator plays: Foundry hosted agents,
// jobs with an OIDC token, the auth sidecar, Azure Machine Learning.

import { createFoundryProvider, decodeToken } from "copilot-keyless";
import { createDirectCredential, type DirectCredentialOptions } from "copilot-keyless/direct";
import { type EmulatedHosts, startEmulator } from "copilot-keyless/emulator";
import { FakeClock } from "copilot-keyless/testing";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { failureOf } from "./failure-of.js";

const SCOPE = "https://ai.azure.com/.default";
const clock = new FakeClock({ now: Date.now() });
const emulator = await startEmulator({ clock });
afterAll(() => emulator.stop());
afterEach(() => emulator.faults.clear());

const { hosts, identity } = emulator;
const AGENT = "11111111-2222-4333-8444-555555555555";
const SECRETS = [
  hosts.githubActions.ACTIONS_ID_TOKEN_REQUEST_TOKEN,
  hosts.azurePipelines.SYSTEM_ACCESSTOKEN,
  hosts.machineLearning.MSI_SECRET,
];

/** Options for each host. */
const OPTIONS: Record<keyof EmulatedHosts, DirectCredentialOptions> = {
  foundryHostedAgent: { env: hosts.foundryHostedAgent },
  githubActions: { env: hosts.githubActions },
  azurePipelines: { env: hosts.azurePipelines },
  sidecar: { env: hosts.sidecar, sidecar: { service: "Foundry" } },
  machineLearning: { env: hosts.machineLearning },
};

const failure = (options: DirectCredentialOptions) => failureOf(options, SCOPE, SECRETS);

/** The requests since a number of them, as method, path and status. */
const requestsSince = (count: number) =>
  emulator.requests.slice(count).map(({ method, path, status }) => `${method} ${path} ${status}`);

test.each([
  ["foundryHostedAgent", ["GET /msi/token 200"], "managed-identity"],
  ["githubActions", ["GET /actions/idtoken 200", `POST /${identity.tenantId}/oauth2/v2.0/token 200`], "app"],
  [
    "azurePipelines",
    ["POST /pipelines/oidctoken 200", `POST /${identity.tenantId}/oauth2/v2.0/token 200`],
    "app",
  ],
  ["sidecar", ["GET /AuthorizationHeaderUnauthenticated/Foundry 200"], "app"],
  ["machineLearning", ["GET /machine-learning/token 200"], "managed-identity"],
] as [keyof EmulatedHosts, string[], string][])(
  "%s: a token by the environment",
  async (host, path, principal) => {
    const before = emulator.requests.length;
    const token = await createDirectCredential(OPTIONS[host]).getToken(SCOPE);
    expect(requestsSince(before)).toEqual(path);
    const about = decodeToken(token?.token ?? "");
    expect(about).toMatchObject({ audience: "https://ai.azure.com", principal });
    expect(Math.abs((token?.expiresOnTimestamp ?? 0) - (about.expiresOn ?? 0))).toBeLessThan(60_000);
  },
);

test.each(Object.keys(OPTIONS) as (keyof EmulatedHosts)[])(
  "%s: an error shows no secret, and a hang ends in its time",
  async (host) => {
    emulator.faults.add({ server: "identity", kind: "status", status: 403 });
    expect(await failure(OPTIONS[host])).toMatchObject({
      code: "credential/refused",
      hint: expect.any(String),
    });
    emulator.faults.add({ server: "identity", kind: "hang", times: Number.POSITIVE_INFINITY });
    expect(await failure({ ...OPTIONS[host], timeoutMs: 200 })).toMatchObject({ code: "credential/network" });
    emulator.faults.clear();
    emulator.faults.add({ server: "identity", kind: "body", body: "<html>sign in</html>" });
    expect(await failure(OPTIONS[host])).toMatchObject({ code: "expiry/not-json" });
  },
);

describe("a Foundry hosted agent", () => {
  const env = hosts.foundryHostedAgent;

  test("asks for its instance identity, and reads the project and the deployment", async () => {
    using foundry = createFoundryProvider({ env, credential: "direct" });
    await foundry.tokens();
    const query = new URLSearchParams(emulator.requests.at(-1)?.query);
    expect(query.get("client_id")).toBe(env.FOUNDRY_AGENT_INSTANCE_CLIENT_ID);
    expect(foundry.credential).toMatchObject({
      kind: "managed-identity",
      host: "foundry-hosted-agent",
      clientId: env.FOUNDRY_AGENT_INSTANCE_CLIENT_ID,
      clientIdSource: "FOUNDRY_AGENT_INSTANCE_CLIENT_ID",
      tenantId: env.FOUNDRY_AGENT_TENANT_ID,
      tenantIdSource: "FOUNDRY_AGENT_TENANT_ID",
      warnings: [],
    });
    expect(foundry.sources).toMatchObject({
      endpoint: "FOUNDRY_PROJECT_ENDPOINT",
      model: "AZURE_AI_MODEL_DEPLOYMENT_NAME",
    });
    expect(foundry.config.baseUrl).toContain("/api/projects/emulator/openai/v1");
  });

  test("an empty hosting environment is none", async () => {
    const other = { ...env, FOUNDRY_HOSTING_ENVIRONMENT: "" };
    await createDirectCredential({ env: other }).getToken(SCOPE);
    expect(emulator.requests.at(-1)?.query).not.toContain("client_id");
  });
});

describe("GitHub Actions", () => {
  const env = hosts.githubActions;

  test("the default credential needs no az and no @azure/identity", async () => {
    using foundry = createFoundryProvider({ env });
    expect(decodeToken(await foundry.tokens()).principal).toBe("app");
    expect(foundry.credential).toMatchObject({ kind: "github-actions", host: "github-actions" });
  });

  test("a wrong request token: the hint names the permission", async () => {
    const wrong = { ...env, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "wr0ng-request-token" };
    expect(await failure({ env: wrong })).toMatchObject({
      code: "credential/refused",
      status: 401,
      hint: expect.stringContaining("id-token to write"),
    });
  });

  test("each token needs a new assertion, also after a failure", async () => {
    const before = emulator.requests.length;
    emulator.faults.add({
      server: "identity",
      kind: "status",
      status: 503,
      headers: { "retry-after": "0" },
      match: ({ path }) => path.endsWith("/token"),
    });
    await createDirectCredential({ env }).getToken(SCOPE);
    expect(requestsSince(before).map((line) => line.replace(identity.tenantId, "t"))).toEqual([
      "GET /actions/idtoken 200",
      "POST /t/oauth2/v2.0/token 503",
      "GET /actions/idtoken 200",
      "POST /t/oauth2/v2.0/token 200",
    ]);
  });

  test("the audience of another cloud is refused with Entra's number and its hint", async () => {
    const url = `${env.ACTIONS_ID_TOKEN_REQUEST_URL}&audience=api%3A%2F%2FAzureADTokenExchangeUSGov&x=`;
    expect(await failure({ env: { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: url } })).toMatchObject({
      code: "credential/refused",
      message: expect.stringContaining("AADSTS700212"),
      hint: expect.stringContaining("audience"),
    });
  });
});

describe("Azure Pipelines", () => {
  const env = hosts.azurePipelines;

  test.each([
    ["SYSTEM_ACCESSTOKEN", "wr0ng-access-token", 401],
    ["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "another", 404],
  ])("a wrong %s: the hint says what to map and authorize", async (name, value, status) => {
    expect(await failure({ env: { ...env, [name]: value } })).toMatchObject({
      code: "credential/refused",
      status,
      hint: expect.stringContaining("$(System.AccessToken)"),
    });
  });

  test("the service connection as an option", async () => {
    const { AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: serviceConnectionId, ...rest } = env;
    const credential = createDirectCredential({ env: rest, source: "azure-pipelines", serviceConnectionId });
    expect((await credential.getToken(SCOPE))?.token).toMatch(/^eyJ/);
  });
});

describe("the auth sidecar", () => {
  const env = hosts.sidecar;

  test("for an agent identity, and one of its users", async () => {
    const sidecar = { service: "Foundry", agentIdentity: AGENT };
    const token = await createDirectCredential({ env, sidecar }).getToken(SCOPE);
    expect(JSON.parse(atob(token?.token.split(".")[1] ?? "")).appid).toBe(AGENT);
    const user = { ...sidecar, agentUsername: "agent@contoso.com" };
    await createDirectCredential({ env, sidecar: user }).getToken(SCOPE);
    expect(new URLSearchParams(emulator.requests.at(-1)?.query).get("AgentUsername")).toBe(
      "agent@contoso.com",
    );
  });

  test("overrides send the scope", async () => {
    const sidecar = { service: "CognitiveServices", overrides: true };
    const token = await createDirectCredential({ env, sidecar }).getToken(SCOPE);
    expect(decodeToken(token?.token ?? "").audience).toBe("https://ai.azure.com");
  });

  test.each([
    ["an unknown service", { service: "Graph" }, "credential/refused", "not configured", "DownstreamApis__"],
    [
      "an unknown agent: refused by Entra behind a 500, and not tried again",
      { service: "Foundry", agentIdentity: "nobody" },
      "credential/refused",
      "AADSTS700016",
      "not in the tenant",
    ],
    ["no service", {} as never, "credential/configuration", "service", "sidecar.service"],
    [
      "two users",
      { service: "Foundry", agentIdentity: AGENT, agentUsername: "a", agentUserId: "b" },
      "credential/configuration",
      "exclude each other",
      "one of them",
    ],
    [
      "plain http to another host",
      { service: "Foundry", url: "http://sidecar.example.com" },
      "credential/configuration",
      "local network",
      "",
    ],
  ])("%s", async (_name, sidecar, code, message, hint) => {
    const before = emulator.counts.identity;
    expect(await failure({ env, sidecar })).toMatchObject({
      code,
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
    expect(emulator.counts.identity - before).toBeLessThanOrEqual(1);
  });

  test("one that is away: the hint says where to look", async () => {
    const sidecar = { service: "Foundry", url: "http://127.0.0.1:9" };
    expect(await failure({ env, sidecar, timeoutMs: 100 })).toMatchObject({
      code: "credential/network",
      hint: expect.stringContaining("/healthz"),
    });
  });
});

test("Azure Machine Learning: the client id of the option wins over the default one", async () => {
  await createDirectCredential({ env: hosts.machineLearning, clientId: AGENT }).getToken(SCOPE);
  const query = new URLSearchParams(emulator.requests.at(-1)?.query);
  expect([query.get("clientid"), query.get("api-version")]).toEqual([AGENT, "2017-09-01"]);
});
