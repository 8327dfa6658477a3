// Tests diagnoseCredential with the errors that @azure/identity throws, and with any other input.
// tests/core/diagnosis/credential.rs tests the diagnosis itself.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AggregateAuthenticationError,
  AuthenticationError,
  AzureCliCredential,
  AzureDeveloperCliCredential,
  ChainedTokenCredential,
  CredentialUnavailableError,
  EnvironmentCredential,
} from "@azure/identity";
import { expect, test } from "vitest";
import { diagnoseCredential } from "../../../js/credentials/diagnose.js";
import { credentialFailure } from "../../../js/credentials/failure.js";
import { KeylessError } from "../../../js/errors/keyless-error.js";
import { root } from "../../support/process.js";

const APP = "1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55";
const EXPIRED = `AADSTS7000222: The provided client secret keys for app '${APP}' are expired.`;
const env = { AZURE_CLIENT_ID: APP };

test.each([
  ["a text", { error: EXPIRED }],
  ["an error", { error: new Error(EXPIRED) }],
  ["a cause", { error: new Error("x", { cause: new Error("y", { cause: new Error(EXPIRED) }) }) }],
  ["a body", { status: 401, body: JSON.stringify({ error: "invalid_client", error_description: EXPIRED }) }],
  ["a parsed body", { body: { error: "invalid_client", error_description: EXPIRED } }],
  ["an object that is no error", { error: { error_description: EXPIRED } }],
  [
    "an error of @azure/identity",
    { error: new AuthenticationError(401, { error: "invalid_client", error_description: EXPIRED }) },
  ],
])("%s", (_name, failure) => {
  expect(diagnoseCredential({ ...failure, env })).toMatchObject({
    code: "secret-expired",
    aadsts: [7000222],
    retryable: false,
    links: [],
    fixes: [expect.stringContaining(`az ad app credential reset --id ${APP} --append`), expect.any(String)],
  });
});

test("the status is that of the error, unless another one is given", () => {
  const error = Object.assign(new Error("x"), { statusCode: 429 });
  expect(diagnoseCredential({ error, env })).toMatchObject({
    code: "throttled",
    status: 429,
    retryable: true,
  });
  expect(diagnoseCredential({ error, status: 503, env })).toMatchObject({
    code: "server-error",
    status: 503,
  });
});

test("a real chain on a machine without tools is told link by link", async () => {
  const PATH = process.env.PATH;
  process.env.PATH = "/nowhere";
  try {
    const chain = new ChainedTokenCredential(
      new EnvironmentCredential(),
      new AzureCliCredential(),
      new AzureDeveloperCliCredential(),
    );
    const error = await chain.getToken("https://ai.azure.com/.default").then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const { code, links, fixes } = diagnoseCredential({ error, env });
    expect(code).toBe("no-credential");
    expect(links.map(({ credential }) => credential).toSorted()).toEqual([
      "AzureCliCredential",
      "AzureDeveloperCliCredential",
      "EnvironmentCredential",
    ]);
    expect(fixes.join("\n")).toContain("az login");
  } finally {
    process.env.PATH = PATH;
  }
});

test("of a chain, the credential that Entra answered is explained", () => {
  const refused = new AuthenticationError(400, { error: "invalid_client", error_description: EXPIRED });
  const error = new AggregateAuthenticationError([
    new CredentialUnavailableError("Please run 'az login' from a command prompt to authenticate."),
    new CredentialUnavailableError("EnvironmentCredential: x", { cause: refused }),
  ]);
  const found = diagnoseCredential({ error, env });
  expect(found).toMatchObject({ code: "secret-expired", credential: "EnvironmentCredential", status: 400 });
  expect(found.links.map(({ code }) => code)).toEqual(["secret-expired", "not-signed-in"]);
});

test("the environment's tenant is in the command, its secrets are nowhere", () => {
  const secret = "planted~secret~of~the~environment";
  const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
  const found = diagnoseCredential({
    error: `Please run 'az login' (${secret})`,
    env: { AZURE_TENANT_ID: tenant, AZURE_CLIENT_SECRET: secret },
  });
  expect(found.fixes[0]).toBe(`Sign in:\naz login --tenant ${tenant}`);
  expect(JSON.stringify(found)).not.toContain(secret);
});

test("the secrets of the environment are hidden in the cause, and from then on", () => {
  const secret = "planted-secret.example.com";
  const { cause } = diagnoseCredential({
    error: `AADSTS90002: Tenant '${secret}' not found`,
    env: { AZURE_CLIENT_SECRET: secret },
  });
  expect(cause).toContain("tenant [redacted]");
  expect(new KeylessError("credential/failed", `x ${secret}`).message).toBe("x [redacted]");
});

test("no word of a response is in a command", () => {
  const error =
    "AADSTS700213: No matching federated identity record found for presented assertion subject " +
    "'repo:evil/pwn:ref:refs/heads/main'. Check the assertion issuer 'https://evil.example/oidc'.";
  const { cause, fixes } = diagnoseCredential({ error, env });
  expect(fixes.join("\n")).not.toContain("evil");
  expect(fixes.join("\n")).toContain(`federated-credential create --id ${APP}`);
  expect(cause).toMatch(/names the issuer .*evil.* and the subject .*evil.*: make sure that they are yours/);
});

test("the hint of a credential's error names the cause and the fix", () => {
  const { error } = credentialFailure(new Error(EXPIRED), 0);
  expect(error).toMatchObject({
    code: "credential/failed",
    hint: expect.stringMatching(/secret .*has expired.*\naz ad app credential reset/s),
  });
});

const rows = JSON.parse(readFileSync(join(root, "tests/tables/credential-failures.json"), "utf8")) as {
  id: string;
  message?: string;
  body?: string;
  status?: number;
  code: string;
}[];

test("every row of the table, and nothing in it looks like a secret", () => {
  for (const { id, message, body, status, code } of rows) {
    const found = diagnoseCredential({ error: message, body, status, env });
    expect(found.code, id).toBe(code);
    expect(JSON.stringify(found), id).not.toContain("[redacted]");
  }
});

test("an error that cannot be read, a loop, and nothing", () => {
  const trap = () => {
    throw new Error("unreadable");
  };
  const loop: Error & { errors?: unknown[] } = new Error("loop");
  loop.errors = [loop, loop];
  for (const error of [new Proxy(new Error("x"), { get: trap }), loop, undefined, null, 5, () => {}])
    expect(diagnoseCredential({ error, env }).code).toBe("unknown");
  expect(diagnoseCredential({}).code).toBe("unknown");
});

test("what can be read of an error whose getters throw", () => {
  const throwing = (key: string, message = EXPIRED) =>
    Object.defineProperty(new Error(message), key, {
      get() {
        throw new Error("unreadable");
      },
    });
  expect(diagnoseCredential({ error: throwing("message"), env }).code).toBe("unknown");
  expect(diagnoseCredential({ error: throwing("name"), env }).code).toBe("unknown");
  for (const key of ["cause", "errors", "status", "statusCode"])
    expect(diagnoseCredential({ error: throwing(key), env }).code, key).toBe("secret-expired");
  const error = new AggregateError([
    throwing("message"),
    new Error(EXPIRED),
    new Error("Please run 'az login'"),
  ]);
  expect(diagnoseCredential({ error, env }).code).toBe("secret-expired");
});

test("huge errors take no long time", () => {
  const long = (text: string) => new Error(text.repeat(2_000_000 / text.length));
  const endless: object = {
    message: "x",
    get errors() {
      return [Object.create(endless), Object.create(endless)];
    },
  };
  // The time of this process, so that a busy machine changes nothing.
  const before = process.cpuUsage();
  for (const inner of [
    long("EnvironmentCredential: "),
    long("\n- Azure CLI "),
    long("status \ud83d\ude00"),
  ]) {
    const error = new AggregateError(Array.from({ length: 500 }, () => inner));
    const nested = new AggregateError(Array.from({ length: 50 }, () => error));
    diagnoseCredential({ error, body: inner.message, env });
    diagnoseCredential({ error: nested, env });
  }
  diagnoseCredential({ error: endless, env });
  expect(process.cpuUsage(before).user).toBeLessThan(10_000_000);
});
