// Tokens that seem to have expired before they were asked for: a clock that is ahead, or an expiry that the credential could not read.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type AccessToken, createBearerTokenProvider, createFoundryProvider } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { FakeClock } from "copilot-keyless/testing";
import { afterAll, beforeEach, expect, test } from "vitest";
import { START, settle } from "../../../js/testing/fake-clock.js";
import { FakeCredential, failure } from "../../support/credential.js";

const SCOPE = "https://ai.azure.com/.default";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** {"exp":1700003600}: an hour from START on. */
const JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDM2MDB9.";

/** A resource that keeps the true time, and says so or hangs. */
const asked: IncomingMessage[] = [];
let resource: "tells" | "hangs" | "does not tell" | "tells of two hours ago";
let clock: FakeClock;
/** How far this machine is ahead of it. */
let ahead: number;

const server = createServer((request, response) => {
  asked.push(request);
  if (resource === "hangs") return;
  response.sendDate = false;
  if (resource === "tells") response.setHeader("date", new Date(clock.now() - ahead).toUTCString());
  if (resource === "tells of two hours ago") {
    response.setHeaders(
      new Map([
        ["date", new Date(clock.now() - 2 * HOUR).toUTCString()],
        ["age", "7200"],
      ]),
    );
  }
  response.writeHead(404).end();
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openai/v1/`;
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

beforeEach(() => {
  clock = new FakeClock();
  ahead = 2 * HOUR;
  clock.wallMs += ahead;
  asked.length = 0;
  resource = "tells";
});

/** Tokens of an hour, by the true time. */
function hourly(): FakeCredential {
  return new FakeCredential((n) => ({ token: `t${n}`, expiresOnTimestamp: clock.now() - ahead + HOUR }));
}

function provider(credential: FakeCredential) {
  return createFoundryProvider({ endpoint, scope: SCOPE, credential, env: {}, tokens: { clock } });
}

test("a clock two hours ahead: the token is kept for the hour that it lives", async () => {
  const credential = hourly();
  using foundry = provider(credential);
  expect(await foundry.tokens()).toBe("t1");
  expect(asked.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
    ["HEAD", "/openai/v1/", undefined],
  ]);
  // A Date counts seconds: up to one is not believed.
  const { expiresOn = 0 } = foundry.tokens.status;
  expect(clock.now() + HOUR - expiresOn).toBeGreaterThanOrEqual(0);
  expect(clock.now() + HOUR - expiresOn).toBeLessThanOrEqual(SECOND);
  expect((await foundry.tokens.getToken()).expiresOnTimestamp).toBe(expiresOn);

  await clock.advance(50 * MINUTE);
  expect(await foundry.tokens()).toBe("t1");
  expect(credential.calls).toHaveLength(1);
  await clock.advance(11 * MINUTE);
  expect(await foundry.tokens()).toBe("t2");
});

test("a token that has expired by the true time is not handed out", async () => {
  using foundry = provider(new FakeCredential(() => ({ token: "old", expiresOnTimestamp: START - MINUTE })));
  expect(await failure(foundry.tokens())).toMatchObject({ code: "expiry/already-expired" });
  expect(asked).toHaveLength(1);
});

test("a token that is good by this machine's clock costs no request", async () => {
  ahead = 0;
  using foundry = provider(hourly());
  await foundry.tokens();
  expect(asked).toEqual([]);
});

test.each(["hangs", "does not tell"] as const)("a resource that %s leaves the token expired", async (how) => {
  resource = how;
  using foundry = provider(hourly());
  const waiting = failure(foundry.tokens());
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await settle();
  await clock.advance(3 * SECOND);
  expect(await waiting).toMatchObject({
    code: "expiry/already-expired",
    hint: expect.stringMatching(/clock/),
  });
});

test("without a resource there is no clock to compare with", async () => {
  using tokens = createBearerTokenProvider(hourly(), SCOPE, { clock });
  expect(await failure(tokens())).toMatchObject({ code: "expiry/already-expired" });
});

test("a Date that a cache has kept is no time of now", async () => {
  ahead = 0;
  clock.wallMs = START;
  resource = "tells of two hours ago";
  using foundry = provider(new FakeCredential(() => ({ token: "old", expiresOnTimestamp: START - MINUTE })));
  expect(await failure(foundry.tokens())).toMatchObject({ code: "expiry/already-expired" });
  expect(asked[0]?.headers["cache-control"]).toBe("no-cache");
});

test.each([
  ["", 0],
  [", which was later than the call", 300],
  [", rounded up to a second", 1_000],
])("a token's own expiry counts where the credential said now%s, and nobody is asked", async (_, later) => {
  clock.wallMs = START;
  const credential = new FakeCredential((): AccessToken => {
    // As MSAL does: the import of @azure/identity, and its own request, take their time.
    clock.wallMs += later / 2;
    return { token: JWT, expiresOnTimestamp: START + later };
  });
  using foundry = provider(credential);
  expect(await foundry.tokens()).toBe(JWT);
  expect(foundry.tokens.status.expiresOn).toBe(START + HOUR);
  expect(asked).toEqual([]);
});

test("the direct credential goes by the identity endpoint's own time", async () => {
  await using emulator = await startEmulator();
  const now = () => Date.now() + 2 * HOUR;
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.env;
  const options = {
    env: { IDENTITY_ENDPOINT, IDENTITY_HEADER },
    clock: Object.assign(new FakeClock(), { now }),
  };
  const token = await createDirectCredential(options).getToken(SCOPE);
  expect(Math.abs((token?.expiresOnTimestamp ?? 0) - now() - HOUR)).toBeLessThan(3 * SECOND);
  emulator.faults.add({ server: "identity", kind: "expired" });
  expect(await failure(createDirectCredential(options).getToken(SCOPE))).toMatchObject({
    code: "expiry/already-expired",
  });
});
