// Tests failures behind the app: callers receive a status and a code, but nothing about the app's
// resources.

import { afterEach, expect, test } from "vitest";
import { descendantsOf } from "../../support/processes.mjs";
import { appWith, ask, emulatorForApps, json, startApp, until } from "./support.js";

const emulator = await emulatorForApps();
const app = await startApp(appWith("{}"), emulator.env);

// Removes a test's faults before the next one.
afterEach(() => emulator.faults.clear());

async function expectServed(): Promise<void> {
  const response = await ask(app, { prompt: "Still there?" });
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("Still there?")]);
}

const REFUSALS = [
  { fault: { error: "missing-role" }, status: 502, code: "model/missing-role" },
  { fault: { status: 403 }, status: 502, code: "model/firewall" },
  { fault: { status: 404 }, status: 502, code: "model/wrong-path" },
  {
    fault: { status: 429, headers: { "retry-after": "77" } },
    status: 503,
    code: "model/rate-limited",
    wait: "77",
  },
] as const;

test.each(REFUSALS)("the resource answers $code", async ({ fault, status, code, ...more }) => {
  const times = Number.POSITIVE_INFINITY;
  const handle = emulator.faults.add({ server: "foundry", kind: "status", times, ...fault } as never);
  const response = await ask(app, { prompt: "Hi" });
  const text = await response.text();
  handle.remove();
  expect([response.status, JSON.parse(text).code]).toEqual([status, code]);
  if ("wait" in more) expect(response.headers.get("retry-after")).toBe(more.wait);
  // Only the log names the resource and the missing role.
  expect(text).not.toMatch(/az role|127\.0\.0\.1|gpt-5|eyJ/);
  expect(app.log()).toContain(`"code":"${code}"`);
  await expectServed();
});

test("the resource rejects every token", async () => {
  // MSAL would return the rejected token again until it is about to expire.
  const other = await startApp(
    appWith(
      "{ credential }",
      `const credential = {
        getToken: async () => {
          const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env;
          const url = IDENTITY_ENDPOINT + "?resource=https://ai.azure.com&api-version=2019-08-01";
          const response = await fetch(url, { headers: { "x-identity-header": IDENTITY_HEADER } });
          const { access_token: token, expires_on } = await response.json();
          return { token, expiresOnTimestamp: expires_on * 1000 };
        },
      };`,
    ),
    emulator.env,
  );
  const handle = emulator.faults.add({ server: "foundry", kind: "status", status: 401, times: 3 });
  const response = await ask(other, { prompt: "Hi" });
  handle.remove();
  expect([response.status, (await json(response)).code]).toEqual([502, "model/token-invalid"]);
  expect(response.headers.get("www-authenticate")).toBeNull();
  expect((await ask(other, { prompt: "Hi" })).status).toBe(200);
});

test("a runtime that is killed is started anew", async () => {
  for (const pid of descendantsOf(app.process.pid)) process.kill(pid, "SIGKILL");
  await until(async () => (await ask(app, { prompt: "Hi" })).ok);
  await expectServed();
});
