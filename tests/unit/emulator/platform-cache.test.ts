// Tests the cache of the managed identity endpoints, and the api-version that renews revoked tokens.

import { createHash } from "node:crypto";
import { decodeJwt } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../../js/emulator.js";

const AI = "https://ai.azure.com";
const COGNITIVE = "https://cognitiveservices.azure.com";
const START = 1_700_000_000_000;
const running: Emulator[] = [];
let now = START;

async function start(options: EmulatorOptions = {}): Promise<Emulator> {
  now = START;
  const emulator = await startEmulator({ chunkDelayMs: 0, clock: { now: () => now }, ...options });
  running.push(emulator);
  return emulator;
}

afterEach(() => Promise.all(running.splice(0).map((emulator) => emulator.stop())));

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

async function ask(emulator: Emulator, query: Record<string, string> = {}, endpoint?: string) {
  const url = new URL(endpoint ?? emulator.identity.endpoint);
  const version = endpoint ? "2018-02-01" : "2019-08-01";
  url.search = new URLSearchParams({ resource: AI, "api-version": version, ...query }).toString();
  const response = await fetch(url, {
    headers: { "x-identity-header": emulator.env.IDENTITY_HEADER, metadata: "true" },
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

async function tokenOf(...parameters: Parameters<typeof ask>): Promise<string> {
  return (await ask(...parameters)).body.access_token ?? "";
}

test("the hash is that of MSAL's example", () => {
  // docs/msiv1_token_revocation.md in microsoft-authentication-library-for-dotnet.
  expect(sha256("test_token")).toBe("cc0af97287543b65da2c7e1476426021826cab166f1e063ed012b855ff819656");
});

describe("by default", () => {
  test("a hundred requests at once and one an hour later get one token", async () => {
    const emulator = await start({ tokenLifetimeSeconds: 86_400 });
    const tokens = await Promise.all(Array.from({ length: 100 }, () => tokenOf(emulator)));
    now += 3_600_000;
    tokens.push(await tokenOf(emulator));
    expect(new Set(tokens).size).toBe(1);
    expect(emulator.revokeTokens()).toBe(1);
  });

  test.each([
    ["five minutes before it expires", 3_600, 3_300],
    ["after half the life of a short one", 60, 30],
  ])("another comes %s", async (_name, tokenLifetimeSeconds, seconds) => {
    const emulator = await start({ tokenLifetimeSeconds });
    const first = await tokenOf(emulator);
    now = START + seconds * 1000 - 1;
    expect(await tokenOf(emulator)).toBe(first);
    now += 1;
    const second = await tokenOf(emulator);
    expect(second).not.toBe(first);
    expect(await tokenOf(emulator)).toBe(second);
  });

  test("each resource and each identity has its own", async () => {
    const emulator = await start();
    const tokens = [
      await tokenOf(emulator),
      await tokenOf(emulator, { resource: COGNITIVE }),
      await tokenOf(emulator, { client_id: "a" }),
      await tokenOf(emulator, { client_id: "b" }),
      await tokenOf(emulator, { principal_id: "a" }),
    ];
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(await tokenOf(emulator, { client_id: "a" })).toBe(tokens[2]);
    // IMDS and App Service are one platform here.
    expect(await tokenOf(emulator, {}, emulator.identity.imdsEndpoint)).toBe(tokens[0]);
  });

  test("nothing brings another one after a revocation", async () => {
    const emulator = await start();
    const first = await tokenOf(emulator);
    emulator.revokeTokens();
    const hash = { token_sha256_to_refresh: sha256(first), xms_cc: "cp1" };
    for (const query of [{}, { bypass_cache: "true" }, hash])
      expect(await tokenOf(emulator, query)).toBe(first);
    expect(await tokenOf(emulator, hash, emulator.identity.imdsEndpoint)).toBe(first);
    expect(await ask(emulator, { ...hash, "api-version": "2025-03-30" })).toMatchObject({
      status: 400,
      body: { statusCode: 400, message: expect.stringContaining("api-version") },
    });
  });

  test("a failed lifetime function is asked again, and faulty tokens are not kept", async () => {
    let fails = true;
    const emulator = await start({ tokenLifetimeSeconds: () => (fails ? 0 : 60) });
    expect((await ask(emulator)).status).toBe(500);
    fails = false;
    emulator.faults.add({ server: "identity", kind: "expired" });
    emulator.faults.add({ server: "identity", kind: "wrong-audience" });
    const tokens = [await tokenOf(emulator), await tokenOf(emulator), await tokenOf(emulator)];
    expect(tokens.map((token) => decodeJwt(token).aud)).toEqual([AI, "https://management.azure.com", AI]);
    expect(new Set([...tokens, await tokenOf(emulator)]).size).toBe(3);
  });
});

describe("with tokenRevocation", () => {
  const version = { "api-version": "2025-03-30" };

  test("the hash of the cached token brings another one, once for all callers", async () => {
    const emulator = await start({ tokenRevocation: true });
    const first = await tokenOf(emulator);
    const query = { ...version, token_sha256_to_refresh: sha256(first), xms_cc: "cp1" };
    const renewed = await Promise.all([1, 2, 3].map(() => tokenOf(emulator, query)));
    expect(new Set(renewed).size).toBe(1);
    expect(renewed[0]).not.toBe(first);
    expect(decodeJwt(renewed[0] ?? "").xms_cc).toEqual(["cp1"]);
    expect(await tokenOf(emulator)).toBe(renewed[0]);
  });

  test.each([
    ["no hash", {}],
    ["another hash", { token_sha256_to_refresh: sha256("other"), xms_cc: "cp1" }],
    ["no capability", { token_sha256_to_refresh: "" }],
  ])("%s brings the cached one", async (_name, query) => {
    const emulator = await start({ tokenRevocation: true });
    const first = await tokenOf(emulator);
    const hash =
      "token_sha256_to_refresh" in query ? query.token_sha256_to_refresh || sha256(first) : undefined;
    const given = hash === undefined ? {} : { token_sha256_to_refresh: hash };
    expect(await tokenOf(emulator, { ...version, ...query, ...given })).toBe(first);
  });
});
