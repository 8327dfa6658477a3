// Tests that the default credential takes its identity from the option `env`, whatever `process.env`
// says, and leaves `process.env` alone.

import { afterEach, expect, test, vi } from "vitest";
import { type Emulator, startEmulator } from "../../../js/emulator.js";
import { createFoundryProvider } from "../../../js/index.js";

const running: Emulator[] = [];

async function start(): Promise<Emulator> {
  const emulator = await startEmulator();
  running.push(emulator);
  return emulator;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(running.splice(0).map((emulator) => emulator.stop()));
});

/** Acquires a token. Returns the error of a failure. */
async function failureOf(env: Record<string, string>) {
  const foundry = createFoundryProvider({ endpoint: "https://myres.openai.azure.com", env });
  return foundry.tokens().then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("two emulators side by side: each provider has the tokens of its own", async () => {
  const before = { ...process.env };
  const [west, east] = [await start(), await start()];
  vi.stubEnv("AZURE_CLIENT_ID", "of-the-process");
  for (const emulator of [west, east, west]) {
    using foundry = createFoundryProvider({ ...emulator.agentOptions });
    expect(foundry.credential.kind).toBe("managed-identity");
    const response = await fetch(`${foundry.endpoint.baseUrl}/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${await foundry.tokens()}` },
      body: JSON.stringify({ model: foundry.model, input: "hello" }),
    });
    expect(response.status).toBe(200);
  }
  expect([west.counts.identity, east.counts.identity]).toEqual([2, 1]);
  expect(west.requests.map(({ query }) => query ?? "").join()).not.toContain("of-the-process");
  vi.unstubAllEnvs();
  expect({ ...process.env }).toEqual(before);
});

test("the environments of all hosts work by the option", async () => {
  const emulator = await start();
  for (const [name, env] of Object.entries(emulator.hosts)) {
    // The sidecar is an option of the direct credential, not one of the default credential's.
    if (name === "sidecar") continue;
    // Where people also work, the default credential is the chain with their developer tools.
    const direct = name === "machineLearning" ? { credential: "direct" as const } : {};
    using foundry = createFoundryProvider({ env, ...direct });
    await expect(foundry.tokens(), name).resolves.toMatch(/^ey/);
  }
});

test("a service principal with a secret signs in at the authority of the option", async () => {
  const { identity } = await start();
  const env = {
    AZURE_TENANT_ID: identity.tenantId,
    AZURE_CLIENT_ID: identity.clientId,
    AZURE_CLIENT_SECRET: identity.clientSecret,
    AZURE_AUTHORITY_HOST: identity.authorityHost,
    FOUNDRY_RESOURCE_URL: "https://myres.openai.azure.com",
  };
  using foundry = createFoundryProvider({ env });
  expect(foundry.credential.kind).toBe("environment");
  await expect(foundry.tokens()).resolves.toMatch(/^ey/);
});

test("what no direct credential can do is refused, with the way that works", async () => {
  vi.stubEnv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential");
  expect(await failureOf({ AZURE_TOKEN_CREDENTIALS: "dev" })).toMatchObject({
    code: "credential/configuration",
    message: expect.stringContaining("AZURE_TOKEN_CREDENTIALS from process.env"),
    hint: expect.stringContaining('credential: "direct"'),
  });
  const { hosts } = await start();
  expect(await failureOf(hosts.machineLearning)).toMatchObject({
    code: "credential/configuration",
    message: expect.stringContaining("MSI_ENDPOINT, MSI_SECRET from process.env"),
  });
  const certificate = {
    AZURE_TENANT_ID: "11111111-1111-1111-1111-111111111111",
    AZURE_CLIENT_ID: "22222222-2222-2222-2222-222222222222",
    AZURE_CLIENT_CERTIFICATE_PATH: "/nowhere.pem",
  };
  expect(await failureOf(certificate)).toMatchObject({
    code: "credential/configuration",
    hint: expect.stringContaining("use a credential of @azure/identity"),
  });
});
