// Tests that the fallback of the default credential never asks for the token of another identity
// than `@azure/identity` does, which reads `process.env` and looks for the agent of Azure Arc.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFoundryProvider } from "copilot-keyless";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { jwt } from "../../support/tables.js";

const fs = process.getBuiltinModule("node:fs");
const accessSync = fs.accessSync.bind(fs);

/** `@azure/identity` fails by itself, as when Entra cannot be reached for the federated token. */
vi.mock("@azure/identity", () => ({
  ManagedIdentityCredential: class {
    getToken = () => Promise.reject(new Error("The exchange failed"));
  },
}));

/** Plays IMDS, which gives the node's identity. */
const asked: string[] = [];
const imds = createServer((request, response) => {
  asked.push(String(request.url));
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const token = jwt({ aud: "https://ai.azure.com", oid: "node", exp });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ access_token: token, expires_in: "3600", expires_on: String(exp) }));
});
await new Promise<void>((resolve) => imds.listen(0, "127.0.0.1", resolve));
afterAll(() => imds.close());
const AZURE_POD_IDENTITY_AUTHORITY_HOST = `http://127.0.0.1:${(imds.address() as AddressInfo).port}`;

const NODE = { AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential", AZURE_POD_IDENTITY_AUTHORITY_HOST };
const FEDERATED = {
  AZURE_CLIENT_ID: "11111111-1111-4111-8111-111111111111",
  AZURE_TENANT_ID: "22222222-2222-4222-8222-222222222222",
  AZURE_FEDERATED_TOKEN_FILE: "/no/such/token",
};

const setProcess = (env: Record<string, string>) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
};

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (/^(AZURE_|IDENTITY_|MSI_|IMDS_|FOUNDRY_)/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  asked.length = 0;
});

function provider(env?: Record<string, string>) {
  const settings = { endpoint: "https://myres.openai.azure.com", model: "m", ...(env ? { env } : {}) };
  return createFoundryProvider(settings);
}

/** Acquires a token. Returns whether the direct credential gave it. */
async function fallsBack(foundry: ReturnType<typeof provider>): Promise<boolean> {
  const outcome = await foundry.tokens.getToken().then(
    () => true,
    () => false,
  );
  expect(asked.length > 0).toBe(outcome);
  foundry.close();
  return outcome;
}

test("on a virtual machine the direct credential takes over", async () => {
  setProcess(NODE);
  expect(await fallsBack(provider())).toBe(true);
  expect(asked[0]).toMatch(/^\/metadata\/identity\/oauth2\/token\?/);
});

test("an equal copy of the environment shares the credential and its fallback", async () => {
  setProcess(NODE);
  expect(await fallsBack(provider({ ...NODE }))).toBe(true);
});

describe("where @azure/identity reads other variables than the env option has", () => {
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ["a federated token that only process.env has", { ...NODE, ...FEDERATED }, NODE],
    ["the same, with its ids in both", { ...NODE, ...FEDERATED }, without("AZURE_FEDERATED_TOKEN_FILE")],
    ["an identity endpoint that only process.env has", { ...NODE, IDENTITY_ENDPOINT: "http://x" }, NODE],
    ["another client", { ...NODE, AZURE_CLIENT_ID: FEDERATED.AZURE_CLIENT_ID }, NODE],
    ["the agent of Arc in process.env", { ...NODE, IMDS_ENDPOINT: "http://127.0.0.1:40342" }, NODE],
    ["a variable that only the option has", without("AZURE_POD_IDENTITY_AUTHORITY_HOST", NODE), NODE],
  ])("%s: nobody asks the node", async (_name, processEnv, env) => {
    setProcess(processEnv);
    expect(await fallsBack(provider(env))).toBe(false);
  });
});

test("a provider with a narrower env option gives its fallback to no other provider", async () => {
  setProcess({ ...NODE, ...FEDERATED });
  // Never asked for a token.
  const narrow = provider(without("AZURE_FEDERATED_TOKEN_FILE"));
  expect(await fallsBack(provider())).toBe(false);
  narrow.close();
});

test("nor does a provider of an earlier environment of the process", async () => {
  // No other test uses this id, and so this credential.
  const ids = { AZURE_CLIENT_ID: "33333333-3333-4333-8333-333333333333" };
  setProcess({ ...NODE, ...ids });
  const early = provider();
  setProcess({ ...FEDERATED, ...ids });
  expect(await fallsBack(provider())).toBe(false);
  early.close();
});

describe("where the agent of Azure Arc is installed", () => {
  const seen: string[] = [];
  beforeEach(() => {
    seen.length = 0;
    vi.spyOn(fs, "accessSync").mockImplementation((path, mode) => {
      if (!/azcmagent|AzureConnectedMachineAgent/.test(String(path))) return accessSync(path, mode);
      seen.push(String(path));
    });
  });

  test("nobody asks IMDS: MSAL asks the agent, for another identity", async () => {
    setProcess(NODE);
    expect(await fallsBack(provider())).toBe(false);
    expect(seen).toContain("/opt/azcmagent/bin/himds");
  });

  test("on Windows, too", async () => {
    setProcess({ ...NODE, ProgramFiles: "D:\\Programs" });
    vi.spyOn(process, "platform", "get").mockReturnValue("win32");
    expect(await fallsBack(provider())).toBe(false);
    expect(seen).toContain("D:\\Programs\\AzureConnectedMachineAgent\\himds.exe");
  });

  test("an identity endpoint of the environment comes before the agent", async () => {
    const url = `${AZURE_POD_IDENTITY_AUTHORITY_HOST}/msi/token`;
    setProcess({ ...NODE, IDENTITY_ENDPOINT: url, IDENTITY_HEADER: "header-of-the-host" });
    expect(await fallsBack(provider())).toBe(true);
    expect(asked[0]).toMatch(/^\/msi\/token\?/);
  });

  test("nobody looks for it beside other credentials", () => {
    setProcess({ AZURE_TOKEN_CREDENTIALS: "AzureCliCredential" });
    provider().close();
    expect(seen).toEqual([]);
  });
});

/** The environment of a pod with a federated token, without one of its variables. */
function without(name: string, env: Record<string, string> = { ...NODE, ...FEDERATED }) {
  return Object.fromEntries(Object.entries(env).filter(([other]) => other !== name));
}
