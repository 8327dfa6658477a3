// Tests the control API, with which tests in other languages change the emulator.

import { expect, test } from "vitest";
import type { Emulator } from "../../../js/emulator.js";
import { json, post, start, tokenFor } from "./support.js";

async function call(emulator: Emulator, method: string, path: string, body?: object | string, headers = {}) {
  const response = await fetch(`${emulator.controlUrl}${path}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await json(response) };
}

const ok = (body: unknown) => ({ status: 200, body });

test("shows the environment, what is set, and the requests", async () => {
  const emulator = await start();
  expect(await call(emulator, "GET", "")).toEqual(
    ok({
      env: emulator.env,
      roles: ["Foundry User"],
      deployments: ["gpt-5.5", "gpt-4o"],
      counts: { identity: 0, foundry: 0, unauthorized: 0 },
    }),
  );
  const token = await tokenFor(emulator);
  await post(emulator, { token });
  const { body } = await call(emulator, "GET", "/requests");
  // Calls of the control API are not among them.
  expect(body.requests).toEqual(JSON.parse(JSON.stringify(emulator.requests)));
  expect(body.requests).toHaveLength(2);
  expect(JSON.stringify(body)).not.toContain(token);
});

test("faults: added, counted, removed", async () => {
  const emulator = await start();
  const token = await tokenFor(emulator);
  const status = async () => (await post(emulator, { token })).status;
  const fault = { server: "foundry", kind: "status", status: 503, match: { body: "hello" }, times: "always" };
  expect(await call(emulator, "POST", "/faults", fault)).toEqual(ok({ id: "1" }));
  expect([await status(), await status()]).toEqual([503, 503]);
  expect(await call(emulator, "GET", "/faults/1")).toEqual(ok({ hits: 2 }));
  expect(await call(emulator, "DELETE", "/faults/1")).toEqual(ok({}));
  expect(await status()).toBe(200);
  await call(emulator, "POST", "/faults", fault);
  await call(emulator, "DELETE", "/faults");
  expect(await status()).toBe(200);
});

test("replies, roles, deployments, quotas", async () => {
  const emulator = await start();
  const token = await tokenFor(emulator);
  await call(emulator, "POST", "/replies", { text: "scripted", usage: { inputTokens: 7 } });
  await call(emulator, "POST", "/replies", { text: "forgotten" });
  const first = await json(await post(emulator, { token }));
  expect(first).toMatchObject({ output: [{ content: [{ text: "scripted" }] }], usage: { input_tokens: 7 } });
  await call(emulator, "DELETE", "/replies");
  expect(await (await post(emulator, { token })).text()).not.toContain("forgotten");

  expect(await call(emulator, "POST", "/quota", { deployment: "gpt-5.5", requestsPerMinute: 0 })).toEqual(
    ok({}),
  );
  expect((await post(emulator, { token })).status).toBe(429);
  await call(emulator, "POST", "/quota", { deployment: "gpt-5.5" });
  expect((await post(emulator, { token })).status).toBe(200);
  await call(emulator, "POST", "/deployments", { deployments: ["gpt-4o"] });
  expect((await post(emulator, { token })).status).toBe(404);
  await call(emulator, "POST", "/roles", { roles: [] });
  expect((await post(emulator, { token })).status).toBe(401);
  await call(emulator, "POST", "/reset");
  expect((await post(emulator, { token })).status).toBe(200);
});

test("tokens and the clock", async () => {
  const emulator = await start({ platformCache: false, clock: { now: () => 1_700_000_000_000 } });
  const token = await tokenFor(emulator);
  expect(await call(emulator, "POST", "/revoke", { token })).toEqual(ok({ revoked: 1 }));
  expect((await post(emulator, { token })).status).toBe(401);
  await tokenFor(emulator);
  expect(await call(emulator, "POST", "/revoke", { clientId: "other" })).toEqual(ok({ revoked: 0 }));
  expect(await call(emulator, "POST", "/revoke", {})).toEqual(ok({ revoked: 1 }));
  expect(await call(emulator, "POST", "/clock", { advanceMs: 1500 })).toEqual(ok({ now: 1_700_000_001_500 }));
});

test.each<[string, string, string, object | string | undefined, string]>([
  ["an unknown operation", "POST", "/nothing", {}, "There is no POST /_emulator/nothing"],
  ["another method", "PUT", "/roles", {}, "There is no PUT /_emulator/roles"],
  ["a name that objects have", "POST", "/constructor", {}, "There is no POST"],
  ["no JSON", "POST", "/roles", "roles", "must be a JSON object"],
  ["a list", "POST", "/roles", "[]", "must be a JSON object"],
  ["an unknown field", "POST", "/roles", { role: [] }, "There is no field `role`; there is roles."],
  ["no roles", "POST", "/roles", {}, "`roles`"],
  ["an unknown role", "POST", "/roles", { roles: ["King"] }, "King"],
  ["no deployments", "POST", "/deployments", { deployments: "x" }, "`deployments`"],
  ["an unknown limit", "POST", "/quota", { deployment: "x", rpm: 1 }, "no field `rpm`"],
  ["a quota of nothing", "POST", "/quota", { requestsPerMinute: 1 }, "`deployment`"],
  ["a fault that is none", "POST", "/faults", { kind: "hang" }, "`server`"],
  [
    "an unknown field of a fault",
    "POST",
    "/faults",
    { server: "foundry", kind: "hang", x: 1 },
    "no field `x`",
  ],
  ["an unknown fault", "GET", "/faults/9", undefined, "There is no fault 9"],
  ["a reply that is none", "POST", "/replies", {}, "`text` or `toolCalls` is missing"],
  ["an unknown field of a reply", "POST", "/replies", { text: "x", model: "y" }, "no field `model`"],
  ["a number as a token", "POST", "/revoke", { token: 3 }, "`token`"],
  ["time without end", "POST", "/clock", { advanceMs: 1e308 }, "by 100 years in all"],
  ["time that goes back", "POST", "/clock", { advanceMs: -1 }, "from 0 on"],
  ["something to reset", "POST", "/reset", { faults: true }, "no field `faults`"],
])("refuses %s", async (_name, method, path, body, message) => {
  const emulator = await start();
  const refused = await call(emulator, method, path, body);
  expect(refused.status).toBe(message.startsWith("There is no P") ? 404 : 400);
  expect(refused.body.error).toMatchObject({
    code: expect.stringMatching(/^emulator\/invalid-/),
    message: expect.stringContaining(message),
  });
});

test("refuses web pages, also those that the model endpoints allow", async () => {
  const origin = "http://127.0.0.1:5173";
  const emulator = await start({ allowOrigins: [origin] });
  expect((await call(emulator, "POST", "/reset", {}, { origin })).status).toBe(403);
  expect((await call(emulator, "GET", "", undefined, { origin: "null" })).status).toBe(403);
});
