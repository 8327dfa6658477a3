// After the resource rejected a token, the direct credential asks App Service once to renew it, and
// falls back to the ordinary request.

import { createBearerTokenProvider, type KeylessError, type TokenEvent } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { type EmulatorOptions, type Fault, startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";
import { sha256 } from "../../../js/credentials/token-hash.js";

const SCOPE = "https://ai.azure.com/.default";
const ORDINARY = "2019-08-01";
const RENEWAL = "2025-03-30";
const stops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

async function setUp(options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  stops.push(emulator.stop);
  const credential = createDirectCredential({ env: emulator.env, timeoutMs: 3_000 });
  const events: TokenEvent[] = [];
  const tokens = createBearerTokenProvider(credential, SCOPE, {
    policy: { invalidateIntervalMs: 0 },
    onEvent: (event) => events.push(event),
  });
  /** The api-versions of the identity requests since the last call, and how they were answered. */
  let seen = 0;
  const requests = () => {
    const recent = emulator.requests.slice(seen);
    seen = emulator.requests.length;
    return recent.map(({ query, status }) => [new URLSearchParams(query).get("api-version"), status]);
  };
  return { emulator, credential, tokens, events, requests };
}

test("the hash is in lower-case hexadecimal digits", async () => {
  // docs/msiv1_token_revocation.md in microsoft-authentication-library-for-dotnet.
  expect(await sha256("test_token")).toBe("cc0af97287543b65da2c7e1476426021826cab166f1e063ed012b855ff819656");
});

test("one request brings another token where App Service renews", async () => {
  const { emulator, tokens, requests } = await setUp({ tokenRevocation: true });
  const first = await tokens();
  expect(requests()).toEqual([[ORDINARY, 200]]);
  expect(emulator.requests[0]?.query).not.toContain("xms_cc");
  emulator.revokeTokens();
  tokens.invalidate(first);
  const second = await tokens();
  expect(second).not.toBe(first);
  expect(emulator.requests.at(-1)?.query).toBe(
    `api-version=2025-03-30&resource=https%3A%2F%2Fai.azure.com&token_sha256_to_refresh=${await sha256(first)}&xms_cc=cp1`,
  );
  expect(requests()).toEqual([[RENEWAL, 200]]);
  // The next rejection is of the second token.
  tokens.invalidate(second);
  expect([first, second]).not.toContain(await tokens());
  expect(requests()).toEqual([[RENEWAL, 200]]);
  await tokens.refresh();
  expect(requests()).toEqual([[ORDINARY, 200]]);
});

test("an unknown version falls back at once, and is asked for only once", async () => {
  const { tokens, events, requests } = await setUp();
  const first = await tokens();
  requests();
  tokens.invalidate(first);
  const error = await tokens().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "token/rejected-again" });
  expect(requests()).toEqual([
    [RENEWAL, 400],
    [ORDINARY, 200],
  ]);
  const told = JSON.stringify([events, error, (error as KeylessError).stack]);
  expect(told).not.toContain(first);
  expect(told).not.toContain(await sha256(first));
});

test("without the platform's cache the ordinary request brings another token", async () => {
  const { tokens, requests } = await setUp({ platformCache: false });
  const first = await tokens();
  requests();
  tokens.invalidate(first);
  const second = await tokens();
  expect(second).not.toBe(first);
  expect(requests()).toEqual([
    [RENEWAL, 400],
    [ORDINARY, 200],
  ]);
  tokens.invalidate(second);
  expect([first, second]).not.toContain(await tokens());
  expect(requests()).toEqual([[ORDINARY, 200]]);
});

test.each([
  ["500", { kind: "status", status: 500 }],
  ["429", { kind: "status", status: 429 }],
  ["a reset", { kind: "reset" }],
  ["HTML", { kind: "body", body: "<html>" }],
] as [string, Partial<Fault>][])(
  "%s falls back at once too, and the next renewal is tried",
  async (_name, fault) => {
    const { emulator, tokens, requests } = await setUp({ tokenRevocation: true });
    const first = await tokens();
    requests();
    emulator.faults.add({ server: "identity", match: RENEWAL, ...fault } as Fault);
    tokens.invalidate(first);
    await expect(tokens()).rejects.toMatchObject({ code: "token/rejected-again" });
    expect(requests().map(([version]) => version)).toEqual([RENEWAL, ORDINARY]);
  },
);

test("a renewal without an answer leaves time for the ordinary request", async () => {
  const { emulator, tokens, requests } = await setUp({ platformCache: false });
  const first = await tokens();
  requests();
  emulator.faults.add({ server: "identity", match: RENEWAL, kind: "hang" });
  tokens.invalidate(first);
  expect(await tokens()).not.toBe(first);
  expect(requests().map(([version]) => version)).toEqual([RENEWAL, ORDINARY]);
});

test("the ordinary request has all its attempts", async () => {
  const { emulator, tokens, requests } = await setUp({ platformCache: false });
  const first = await tokens();
  requests();
  emulator.faults.add({ server: "identity", match: ORDINARY, kind: "status", status: 500 });
  tokens.invalidate(first);
  expect(await tokens()).not.toBe(first);
  expect(requests()).toEqual([
    [RENEWAL, 400],
    [ORDINARY, 500],
    [ORDINARY, 200],
  ]);
});

test("a claims challenge renews the token, too, and sends no claims", async () => {
  const { emulator, tokens, requests } = await setUp({ tokenRevocation: true });
  const first = await tokens();
  requests();
  const claims = JSON.stringify({ access_token: { nbf: { essential: true, value: "1" } } });
  const { token } = await tokens.getToken({ claims, rejectedToken: first });
  expect(token).not.toBe(first);
  expect(requests()).toEqual([[RENEWAL, 200]]);
  expect(emulator.requests.at(-1)?.query).not.toContain("claims");
});

test("IMDS has no renewal", async () => {
  const { emulator } = await setUp({ tokenRevocation: true });
  const credential = createDirectCredential({
    env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: emulator.identity.url },
  });
  const tokens = createBearerTokenProvider(credential, SCOPE);
  const first = await tokens();
  tokens.invalidate(first);
  await expect(tokens()).rejects.toMatchObject({ code: "token/rejected-again" });
  expect(emulator.requests.map(({ query }) => new URLSearchParams(query).get("api-version"))).toEqual([
    "2018-02-01",
    "2018-02-01",
  ]);
});
