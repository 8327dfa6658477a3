// Tests which requests a fault meets: by model, deployment, body, user and header.

import { expect, test } from "vitest";
import type { Fault, RequestMatch } from "../../../js/emulator.js";
import { json, post, start, tokenFor } from "./support.js";

const RESPONSES = "/openai/v1/responses";
const DATED = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";
const MESSAGES = [{ role: "user", content: "hello" }];

const CASES: [string, RequestMatch, { path?: string; body?: object; headers?: object }, object][] = [
  [
    "the model of the body",
    { model: "gpt-4o" },
    { path: RESPONSES, body: { model: "gpt-4o", input: "x" } },
    { body: { model: "gpt-5.5", input: "x" } },
  ],
  [
    "the deployment of a dated path",
    { deployment: "gpt-4o" },
    { path: DATED, body: { messages: MESSAGES } },
    { path: DATED.replace("gpt-4o", "gpt-5.5"), body: { messages: MESSAGES } },
  ],
  [
    "the deployment that the body names",
    { deployment: "gpt-4o" },
    { body: { model: "gpt-4o", input: "x" } },
    { body: { model: "gpt-5.5", input: "gpt-4o" } },
  ],
  [
    "a part of the body",
    { body: "weather" },
    { body: { model: "gpt-5.5", input: "the weather in Graz" } },
    { body: { model: "gpt-5.5", input: "the time in Graz" } },
  ],
  [
    "a predicate of the body",
    { body: (body) => body.max_output_tokens > 100 },
    { body: { model: "gpt-5.5", input: "x", max_output_tokens: 101 } },
    { body: { model: "gpt-5.5", input: "x" } },
  ],
  [
    "the user of the body",
    { user: "ann" },
    { body: { model: "gpt-5.5", input: "x", user: "ann" } },
    { body: { model: "gpt-5.5", input: "ann", user: "bob" } },
  ],
  [
    "the safety identifier of the body",
    { user: "ann" },
    { body: { model: "gpt-5.5", input: "x", safety_identifier: "ann" } },
    { body: { model: "gpt-5.5", input: "x" } },
  ],
  [
    "the user of the Messages API",
    { path: "/messages", user: "ann" },
    {
      path: "/anthropic/v1/messages",
      body: { model: "gpt-5.5", max_tokens: 9, messages: MESSAGES, metadata: { user_id: "ann" } },
      headers: { "anthropic-version": "2023-06-01" },
    },
    { body: { model: "gpt-5.5", input: "x", user: "ann" } },
  ],
  [
    "a header",
    { headers: { "X-User": "ann" } },
    { headers: { "x-user": "ann" } },
    { headers: { "x-user": "bob" } },
  ],
];

test.each(CASES)("%s", async (_name, match, meets, misses) => {
  const emulator = await start();
  const token = await tokenFor(emulator);
  const fault = emulator.faults.add({
    server: "foundry",
    kind: "status",
    status: 503,
    match,
    times: "always",
  });
  expect((await post(emulator, { token, ...misses })).status).toBe(200);
  expect(fault.hits).toBe(0);
  expect((await post(emulator, { token, ...meets } as object)).status).toBe(503);
  fault.remove();
  // The body is whole for the model although the fault looked at it.
  expect((await post(emulator, { token, ...meets } as object)).status).toBe(200);
});

test("the caller, by the client id and the object id of the token", async () => {
  const emulator = await start();
  const ofAnn = (await json(
    await fetch(
      `${emulator.identity.endpoint}?api-version=2019-08-01&resource=https://ai.azure.com&client_id=ann`,
      {
        headers: { "x-identity-header": emulator.env.IDENTITY_HEADER },
      },
    ),
  )) as { access_token: string };
  const fault = emulator.faults.add({
    server: "foundry",
    kind: "status",
    status: 503,
    match: { user: "ann" },
    times: "always",
  });
  expect((await post(emulator, { token: ofAnn.access_token })).status).toBe(503);
  expect((await post(emulator, { token: await tokenFor(emulator) })).status).toBe(200);
  fault.remove();
  emulator.faults.add({
    server: "foundry",
    kind: "status",
    status: 503,
    match: { user: emulator.identity.principalId, body: "hello" },
  });
  expect((await post(emulator, { token: ofAnn.access_token })).status).toBe(503);
});

test("a predicate sees the body, the deployment and the users", async () => {
  const emulator = await start();
  const seen: object[] = [];
  emulator.faults.add({
    server: "foundry",
    kind: "hang",
    match: ({ body, deployment, model, users }) => {
      seen.push({ body: JSON.parse(body), deployment, model, users });
      return false;
    },
  });
  const body = { model: "gpt-5.5", input: "x", user: "ann" };
  const token = await tokenFor(emulator);
  expect((await post(emulator, { token, body })).status).toBe(200);
  const { clientId, principalId } = emulator.identity;
  const users = ["ann", clientId, principalId];
  expect(seen).toEqual([{ body, deployment: "gpt-5.5", model: "gpt-5.5", users }]);
});

test("the form of a token request", async () => {
  const emulator = await start();
  emulator.faults.add({
    server: "identity",
    kind: "status",
    status: 500,
    match: { body: "grant_type=other" },
  });
  const ask = (grant: string) =>
    fetch(`${emulator.identity.url}/${emulator.identity.tenantId}/oauth2/v2.0/token`, {
      method: "POST",
      body: `grant_type=${grant}`,
    });
  expect((await ask("client_credentials")).status).toBe(400);
  expect((await ask("other")).status).toBe(500);
});

test.each<[string, object, string]>([
  ["an unknown field", { afterwards: 3 }, 'kind "hang" has no field `afterwards`'],
  ["a field of another kind", { delayMs: 3 }, 'kind "hang" has no field `delayMs`'],
  ["an unknown part of a match", { match: { prompt: "x" } }, "`match` has no field `prompt`"],
  ["a number as a user", { match: { user: 3 } }, "`match.user`"],
  ["a list as a body", { match: { body: ["x"] } }, "`match.body`"],
  ["bad headers", { match: { headers: { "a b": "c" } } }, "`match.headers`"],
  ["a word as a count", { times: "often" }, "`times`"],
])("refuses %s", async (_name, fields, message) => {
  const emulator = await start();
  expect(() => emulator.faults.add({ server: "foundry", kind: "hang", ...fields } as Fault)).toThrow(
    expect.objectContaining({ code: "emulator/invalid-fault", message: expect.stringContaining(message) }),
  );
});

test("refuses a body that JSON cannot express", async () => {
  const emulator = await start();
  const body = { tokens: 3n };
  expect(() => emulator.faults.add({ server: "foundry", kind: "body", body })).toThrow(/`body` must be/);
});
