// When @azure/identity itself fails for a managed identity, the direct credential asks for the same
// one. Azure/azure-sdk-for-js issue 39566: ManagedIdentityCredential failed for four days on Flex
// Consumption, while a plain GET of the identity endpoint was answered with 200.

import { DefaultAzureCredential } from "@azure/identity";
import { createFoundryProvider, type TokenEvent } from "copilot-keyless";
import type { Fault, FaultRequest } from "copilot-keyless/emulator";
import { afterEach, expect, test } from "vitest";
import { emulated } from "../support.js";

const emulator = await emulated();
afterEach(() => emulator.faults.clear());

/** MSAL sends a content type with its GET. */
const ofMsal = ({ headers }: FaultRequest) => headers["content-type"] !== undefined;

let count = 0;
function provide(credential?: DefaultAzureCredential) {
  count += 1;
  const events: TokenEvent[] = [];
  const foundry = createFoundryProvider({
    // An own entry in MSAL's cache.
    scope: `https://fallback-${count}.example/.default`,
    tokens: { onEvent: (event) => events.push(event) },
    ...(credential ? { credential } : {}),
  });
  return { foundry, events, resource: `https://fallback-${count}.example` };
}

/** The endpoint's answer, with a remark that MSAL takes for an error's message. */
async function answerWithRemark(resource: string): Promise<object> {
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.env;
  const url = `${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}`;
  const response = await fetch(url, { headers: { "x-identity-header": IDENTITY_HEADER } });
  return { ...((await response.json()) as object), message: "Served from the cache." };
}

test("an answer with a message, which MSAL takes for an error", async () => {
  const { foundry, events, resource } = provide();
  const body = await answerWithRemark(resource);
  const fault = emulator.faults.add({
    server: "identity",
    kind: "body",
    body,
    times: Number.POSITIVE_INFINITY,
  });
  const token = await foundry.tokens();
  expect(token).toBe((body as { access_token: string }).access_token);
  expect(fault.hits).toBe(2);
  expect(events.map(({ type }) => type)).toEqual(["refresh-started", "direct-fallback", "refresh-succeeded"]);
  expect(events[1]).toMatchObject({ error: { code: expect.stringMatching(/^credential\//) } });
  expect(JSON.stringify(events)).not.toContain(token);
  foundry.close();
});

test.each([
  ["503", { kind: "status", status: 503 }],
  ["a reset", { kind: "reset" }],
  ["HTML", { kind: "body", body: "<html>Sign in</html>" }],
] as [string, Partial<Fault>][])("%s for the library's form of the request", async (_name, fault) => {
  const { foundry, events } = provide();
  emulator.faults.add({
    server: "identity",
    match: ofMsal,
    times: Number.POSITIVE_INFINITY,
    ...fault,
  } as Fault);
  expect(await foundry.tokens()).toMatch(/^eyJ/);
  expect(events.map(({ type }) => type)).toContain("direct-fallback");
  foundry.close();
});

test("the chain of deployed services, where it ends at the managed identity", async () => {
  process.env.AZURE_TOKEN_CREDENTIALS = "prod";
  const { foundry, events } = provide();
  expect(foundry.credential.kind).toBe("deployed-service");
  emulator.faults.add({
    server: "identity",
    match: ofMsal,
    kind: "body",
    body: "<html>",
    times: Number.POSITIVE_INFINITY,
  });
  expect(await foundry.tokens()).toMatch(/^eyJ/);
  process.env.AZURE_TOKEN_CREDENTIALS = emulator.env.AZURE_TOKEN_CREDENTIALS;
  expect(events.map(({ type }) => type)).toContain("direct-fallback");
  foundry.close();
});

test("a refusal of this identity is reported as it is", async () => {
  const { foundry, events } = provide();
  emulator.faults.add({
    server: "identity",
    match: ofMsal,
    kind: "status",
    status: 400,
    times: Number.POSITIVE_INFINITY,
  });
  const { identity } = emulator.counts;
  await expect(foundry.tokens()).rejects.toMatchObject({ status: 400 });
  expect(emulator.counts.identity).toBe(identity + 1);
  expect(events.map(({ type }) => type)).not.toContain("direct-fallback");
  foundry.close();
});

test("when both fail, the error is that of the default credential, and the pair is asked again after a pause", async () => {
  const { foundry, events } = provide();
  const body = "<html>";
  const fault = emulator.faults.add({
    server: "identity",
    kind: "body",
    body,
    times: Number.POSITIVE_INFINITY,
  });
  await expect(foundry.tokens()).rejects.toMatchObject({ code: "credential/network" });
  expect(fault.hits).toBe(2);
  await foundry.tokens.refresh().catch(() => {});
  expect(fault.hits).toBe(3);
  expect(events.map(({ type }) => type)).not.toContain("direct-fallback");
  foundry.close();
});

test("a credential of the program is left alone", async () => {
  const { foundry } = provide(new DefaultAzureCredential());
  emulator.faults.add({
    server: "identity",
    match: ofMsal,
    kind: "body",
    body: "<html>",
    times: Number.POSITIVE_INFINITY,
  });
  await expect(foundry.tokens()).rejects.toMatchObject({ code: expect.stringMatching(/^credential\//) });
  foundry.close();
});
