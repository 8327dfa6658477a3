// The environment chooses a credential of the real @azure/identity: tests which endpoint receives
// requests, and that no other does.

import { DefaultAzureCredential } from "@azure/identity";
import { createFoundryProvider, KeylessError } from "copilot-keyless";
import { afterEach, describe, expect, test, vi } from "vitest";
import { reportOf } from "./support.js";

const TENANT = "11111111-1111-1111-1111-111111111111";
const CLIENT = "22222222-2222-2222-2222-222222222222";

/** One request to the identity endpoint, none elsewhere, no `az`. */
const ONE_REQUEST = { requests: 1, seen: true, clientIds: [null], elsewhere: [], tools: [] };

describe.concurrent("App Service without AZURE_TOKEN_CREDENTIALS", () => {
  test("one request to the identity endpoint, no probe of IMDS, no az", async () => {
    expect(await reportOf("credential", "app-service")).toEqual({
      kind: "managed-identity",
      source: "IDENTITY_ENDPOINT",
      ...ONE_REQUEST,
    });
  });

  test("a second provider, of another resource, shares credential and token", async () => {
    expect(await reportOf("credential", "two-providers")).toMatchObject(ONE_REQUEST);
  });

  test("a rejection is reported at once", async () => {
    expect(await reportOf("credential", "refused")).toMatchObject({
      error: "credential/refused",
      ...ONE_REQUEST,
    });
  });

  test("DefaultAzureCredential itself starts the developer tools after a refusal", async () => {
    expect(await reportOf("credential", "refused-in-the-chain")).toMatchObject({
      requests: 1,
      tools: expect.arrayContaining(["az", "azd"]),
    });
  });
});

describe.concurrent("AZURE_CLIENT_ID arrives at the identity endpoint as client_id", () => {
  test.each([
    ["without AZURE_TOKEN_CREDENTIALS", "user-assigned", "IDENTITY_ENDPOINT"],
    ["with ManagedIdentityCredential", "user-assigned-by-name", "AZURE_TOKEN_CREDENTIALS"],
    ["from the env option", "user-assigned-by-option", "IDENTITY_ENDPOINT"],
  ])("%s", async (_name, scenario, source) => {
    expect(await reportOf("credential", scenario)).toEqual({
      kind: "managed-identity",
      source,
      clientId: CLIENT,
      ...ONE_REQUEST,
      clientIds: [CLIENT],
    });
  });
});

describe.concurrent("workload identity", () => {
  const exchange = {
    path: `/${TENANT}/oauth2/v2.0/token`,
    client: CLIENT,
    scope: "https://ai.azure.com/.default",
    assertion: "the-federated-token",
  };

  test.each([
    ["from the environment", "workload-identity", "login.microsoftonline.com:443", exchange.scope],
    ["from the env option", "workload-identity-by-option", "login.microsoftonline.com:443", exchange.scope],
    [
      "for a resource of the US Government, without AZURE_AUTHORITY_HOST",
      "workload-identity-of-the-government",
      "login.microsoftonline.us:443",
      "https://cognitiveservices.azure.us/.default",
    ],
  ])("%s: one exchange, at the authority of the cloud", async (_name, scenario, host, scope) => {
    expect(await reportOf("credential", scenario)).toEqual({
      kind: "workload-identity",
      source: "AZURE_FEDERATED_TOKEN_FILE",
      clientId: CLIENT,
      hosts: [host],
      exchanges: [{ ...exchange, scope }],
    });
  });

  test("ManagedIdentityCredential exchanges the token too, where one is federated", async () => {
    expect(await reportOf("credential", "workload-identity-by-managed-identity")).toMatchObject({
      kind: "managed-identity",
      hosts: ["login.microsoftonline.com:443"],
      exchanges: [exchange],
    });
  });
});

test("a service principal signs in with its secret, which the plan does not hold", async () => {
  const found = await reportOf("credential", "service-principal");
  expect(found).toMatchObject({
    kind: "environment",
    source: "AZURE_CLIENT_SECRET",
    hosts: ["login.microsoftonline.com:443"],
    exchanges: [{ client: CLIENT, secret: true }],
  });
  expect(JSON.stringify(found)).not.toContain("pl4nted");
});

test("if nothing decides, the whole chain is tried, and IMDS is probed", async () => {
  expect(await reportOf("credential", "nothing-set")).toEqual({
    kind: "default",
    source: "default",
    probed: true,
  });
});

test("behind a proxy, IMDS is asked through it", async () => {
  expect(await reportOf("credential", "proxied")).toEqual({
    warnings: ["imds-proxied"],
    proxied: ["169.254.169.254"],
  });
});

describe("the values of AZURE_TOKEN_CREDENTIALS are those of this @azure/identity", () => {
  afterEach(() => vi.unstubAllEnvs());

  const ours = () => createFoundryProvider({ endpoint: "https://myres.openai.azure.com" }).credential.kind;
  const refusal = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("Nothing was thrown");
  };
  const credentialsIn = (text: string) =>
    [...text.matchAll(/\b[A-Z]\w+Credential\b/g)].map(([name]) => name).sort();

  test("both refuse another one, and name the same", () => {
    vi.stubEnv("AZURE_TOKEN_CREDENTIALS", "nonsense");
    const theirs = credentialsIn(refusal(() => new DefaultAzureCredential()));
    expect(theirs.length).toBeGreaterThan(5);
    expect(credentialsIn(refusal(ours))).toEqual(theirs);
    expect(ours).toThrow(KeylessError);
    for (const name of ["dev", "prod", ...theirs]) {
      vi.stubEnv("AZURE_TOKEN_CREDENTIALS", ` ${name.toUpperCase()}\n`);
      expect(() => new DefaultAzureCredential()).not.toThrow();
      expect(ours()).not.toBe("default");
    }
  });
});

describe.concurrent("an env option that @azure/identity does not see is not ignored", () => {
  test("the direct credential asks an identity endpoint that only the option has", async () => {
    const report = await reportOf<object>("credential", "not-in-the-process");
    expect(report).not.toHaveProperty("error");
    expect(report).toMatchObject({
      requests: 1,
      clientIds: ["22222222-2222-2222-2222-222222222222"],
      // Not by the client of @azure/identity.
      seen: false,
    });
  });

  test("another choice than the process's is reported", async () => {
    expect(await reportOf("credential", "another-choice-than-the-process")).toMatchObject({
      error: "credential/configuration",
      message: expect.stringContaining("AZURE_TOKEN_CREDENTIALS from process.env"),
    });
  });
});
