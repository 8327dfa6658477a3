// Tests that the report of `npm run live` holds no token, secret, id, host or name.

import { randomUUID } from "node:crypto";
import type { Emulator } from "copilot-keyless/emulator";
import { afterEach, expect, test, vi } from "vitest";
// @ts-expect-error It is plain JavaScript.
import { Redactor } from "../live/redact.mjs";
import { checked, differing, type Report, verdictOf, wholeText } from "../support/live.js";
import { jwt } from "../support/tables.js";

afterEach(() => vi.unstubAllEnvs());

test("the report holds no planted token, secret, id, host or name", async () => {
  const [tenant, principal, request, client] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const token = jwt({ tid: tenant, oid: principal, upn: "ada@contoso.example" });
  const [, payload, signature] = token.split(".") as [string, string, string];
  const planted = {
    token,
    payload,
    signature,
    tenant,
    principal,
    request,
    client,
    compact: randomUUID().replaceAll("-", ""),
    secret: "pl4nted~secret.value",
    key: "9f8e7d6c5b4a39281706f5e4d3c2b1a0QWERTY",
    user: "ada.lovelace@contoso.example",
    login: "ada.lovelace",
    base64: "aGk/dGhlcmUgeW91IDEyMw/LmtleQ+9Zz1B/4Qw==",
    host: "contoso-prod-eus.openai.azure.com",
    gateway: "gw.corp.contoso.internal",
    address: "203.0.113.77",
    address6: "2001:db8:85a3::8a2e:370:7334",
    subscription: "/subscriptions/5b0c6f3e-0000-4000-8000-abcdefabcdef/resourceGroups/rg-contoso-prod",
    group: "rg-contoso-prod",
    site: "contoso-chat-site",
    deployment: "contoso-deploy-1",
  };
  vi.stubEnv("AZURE_CLIENT_SECRET", planted.secret);
  vi.stubEnv("WEBSITE_SITE_NAME", planted.site);
  vi.stubEnv("AZURE_CLIENT_ID", planted.client);
  const words = Object.entries(planted)
    .filter(([name]) => !["payload", "signature", "group", "login"].includes(name))
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  const body = { error: { code: "DeploymentNotFound", message: `\`x\` | ${words}\nBearer ${token}` } };
  const headers = {
    "www-authenticate": `Bearer realm="${tenant}", authorization_uri="https://${planted.gateway}/${tenant}", claims="${Buffer.from(token).toString("base64")}"`,
    "x-ratelimit-key": planted.deployment,
    "x-ratelimit-limit-requests": planted.key,
  };
  const each = { times: Number.POSITIVE_INFINITY, headers };
  const settings = { model: planted.deployment };
  const principals: string[] = [];

  const known = new Redactor(process.env);
  known.learn("deployment", planted.deployment);
  for (const value of words.split(", ").map((pair) => pair.slice(pair.indexOf(" ") + 1)))
    for (const text of [
      `at ${value}.`,
      `(${value}), and`,
      `'${value}'`,
      `"x":"${value}"`,
      `https://${value}/v1`,
    ])
      expect(known.clean(text).toLowerCase(), text).not.toContain(value.toLowerCase());
  expect(known.clean(planted.user)).not.toContain(planted.login);

  // Every response of the resource and of the identity endpoint repeats them, in turn.
  const reports = [
    await checked(undefined, { settings }),
    await checked(
      (emulator) => {
        const { tenantId, clientId, principalId, resourceId } = emulator.identity;
        principals.push(
          tenantId,
          clientId,
          principalId,
          resourceId,
          emulator.foundry.url.slice(7),
          emulator.env.IDENTITY_HEADER,
        );
        emulator.faults.add({ server: "foundry", kind: "status", status: 401, body, ...each });
      },
      { settings },
    ),
    await checked(
      ({ faults }) => {
        faults.add({ server: "foundry", kind: "body", status: 200, body: { ...body, note: words }, ...each });
      },
      { settings },
    ),
    await checked(
      ({ faults }) => {
        const plain = { statusCode: 500, message: words, correlationId: request };
        faults.add({ server: "identity", kind: "status", status: 400, body: plain, ...each });
      },
      { settings },
    ),
    await checked(
      ({ faults }) => {
        faults.add({ server: "foundry", kind: "body", status: 502, body: `<html>${words}</html>`, ...each });
      },
      { settings },
    ),
  ];
  for (const [index, report] of reports.entries()) {
    const text = wholeText(report);
    for (const [name, value] of [...Object.entries(planted), ...principals.entries()])
      expect(text.toLowerCase().includes(value.toLowerCase()), `${name} in report ${index}`).toBe(false);
    expect(text).not.toMatch(/eyJ[\w-]{6}|Bearer (?!\[)[\w-]{6}/);
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  }
  expect(verdictOf(reports[1] as Report, "challenge of a 401")?.seen).toContain(
    "Bearer realm authorization_uri claims",
  );
});

test.each([
  ["account", "https://contoso-prod.openai.azure.com", "/openai/v1/responses"],
  ["project", "https://contoso-prod.services.ai.azure.com/api/projects/contoso-project", "/api/projects/"],
])("an Azure %s as the endpoint: nothing differs, and no name is in the report", async (_kind, url, path) => {
  const real = globalThis.fetch;
  let emulator: Emulator | undefined;
  vi.stubGlobal("fetch", (input: string, init?: RequestInit) => {
    const { hostname, pathname, search } = new URL(input);
    const elsewhere = hostname.startsWith("contoso-prod.");
    return real(elsewhere ? `${emulator?.foundry.url}${pathname}${search}` : input, init);
  });
  try {
    const report = await checked((started) => {
      emulator = started;
      process.env.FOUNDRY_RESOURCE_URL = url;
      const message = `No route at ${url}, resource contoso-prod, part ${url.split("/").at(-1)}.`;
      started.faults.add({
        server: "foundry",
        kind: "status",
        status: 404,
        match: "no-such-route",
        body: { error: { code: "404", message } },
      });
    });
    expect(differing(report)).toEqual([]);
    expect(verdictOf(report, "ordinary request")).toMatchObject({ verdict: "confirmed" });
    expect(verdictOf(report, "wrong path")?.seen).toContain("resource [resource]");
    expect(emulator?.requests.some((request) => request.path.startsWith(path))).toBe(true);
    expect(/.{0,40}contoso.{0,40}/i.exec(wholeText(report))?.[0]).toBeUndefined();
  } finally {
    vi.unstubAllGlobals();
  }
});

test("the same value gets the same placeholder, and public hosts stay", () => {
  const redactor = new Redactor({ FOUNDRY_API_KEY: "k3y-of-somebody", AZURE_TOKEN_CREDENTIALS: "dev" });
  redactor.learn("deployment", "gpt");
  const [one, other] = [randomUUID(), randomUUID()];
  expect(redactor.clean(`${one} ${other} ${one.toUpperCase()}`)).toBe("[id-1] [id-2] [id-1]");
  expect(redactor.clean("audience is incorrect (https://ai.azure.com), or have")).toContain(
    "(https://ai.azure.com),",
  );
  expect(redactor.clean("to https://x.openai.azure.com/openai/v1, see https://aka.ms/x")).toBe(
    "to https://[host-1]/openai/v1, see https://aka.ms/x",
  );
  expect(redactor.clean("the deployment gpt, not gpt-4o; dev")).toBe(
    "the deployment [deployment], not gpt-4o; dev",
  );
  expect(redactor.clean("k3y-of-somebody and K3Y-OF-SOMEBODY")).toBe("[secret] and [secret]");
  expect(redactor.clean("2024-10-21, 12:30:45, 1.0.14, response.completed, x-ratelimit-limit-requests")).toBe(
    "2024-10-21, 12:30:45, 1.0.14, response.completed, x-ratelimit-limit-requests",
  );
  const operation =
    "Microsoft.CognitiveServices/accounts/OpenAI/responses/write to POST /openai/v1/chat/completions";
  expect(redactor.clean(operation)).toBe(operation);
});

test("a long text is cut before it takes a time that grows with its square", { timeout: 10_000 }, () => {
  const redactor = new Redactor({ AZURE_CLIENT_SECRET: "pl4nted~secret.value" });
  for (const piece of ["a", "a.", "a@", "eyJ", "1.", "::", "a1Z/", "Bearer a ", '{"a":'])
    expect(redactor.clean(piece.repeat(500_000)).length).toBeLessThan(400);
  const token = jwt({ oid: randomUUID() });
  const late = redactor.clean(`${"x ".repeat(3000)} ${token} pl4nted~secret.value`, 9_000);
  expect(late).not.toMatch(/eyJ|pl4nted/);
  // A value at the cut shows no part of itself.
  for (let length = 3_980; length < 4_000; length += 1) {
    const text = `${"x ".repeat(2000).slice(0, length - 1)} ada.lovelace@contoso.example`;
    expect(redactor.clean(text, 9_000), String(length)).not.toMatch(/ada|contoso/);
  }
});
