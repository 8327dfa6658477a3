// Tests the credential of copilot-keyless/direct with the emulator: every source, every form of id,
// every fault.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  createBearerTokenProvider,
  createFoundryProvider,
  decodeToken,
  type TokenCredential,
} from "copilot-keyless";
import { createDirectCredential, type DirectCredentialOptions } from "copilot-keyless/direct";
import { type Fault, startEmulator } from "copilot-keyless/emulator";
import { type Clock, FakeClock, withClock } from "copilot-keyless/testing";
import { afterAll, afterEach, describe, expect, test } from "vitest";

const SCOPE = "https://ai.azure.com/.default";
const emulator = await startEmulator({ platformCache: false });
const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-"));
const tokenFile = join(folder, "token");
writeFileSync(tokenFile, `${emulator.identity.federatedToken}\n`);
afterAll(async () => {
  await emulator.stop();
  rmSync(folder, { recursive: true });
});
afterEach(() => emulator.faults.clear());

const { authorityHost, clientId, clientSecret, federatedToken, tenantId } = emulator.identity;
const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.env;
const application = {
  AZURE_AUTHORITY_HOST: authorityHost,
  AZURE_CLIENT_ID: clientId,
  AZURE_TENANT_ID: tenantId,
};
const IMDS = { AZURE_POD_IDENTITY_AUTHORITY_HOST: emulator.identity.url };

/** An environment for each source. */
const SOURCES: Record<string, DirectCredentialOptions> = {
  "app-service": { env: { IDENTITY_ENDPOINT, IDENTITY_HEADER } },
  imds: { env: IMDS },
  "workload-identity": { env: { ...application, AZURE_FEDERATED_TOKEN_FILE: tokenFile } },
  "client-secret": { env: { ...application, AZURE_CLIENT_SECRET: clientSecret } },
};
const SECRETS = [IDENTITY_HEADER, clientSecret, federatedToken];

const last = () => emulator.requests.at(-1);

async function failure(credential: TokenCredential, options = {}): Promise<Record<string, unknown>> {
  const error = await credential.getToken(SCOPE, options).then(
    () => expect.fail("a token came"),
    (thrown: unknown) => thrown,
  );
  for (const secret of SECRETS)
    expect(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}${(error as Error).stack}`).not.toContain(
      secret,
    );
  return error as Record<string, unknown>;
}

/** The real clock, but the second between attempts passes at once. */
const hasty: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, ms < 2_000 ? 0 : ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

describe.each(Object.entries(SOURCES))("%s", (source, options) => {
  const managed = source === "app-service" || source === "imds";

  test("returns a token and its expiry, by the environment", async () => {
    const before = Date.now();
    const token = await createDirectCredential(options).getToken(SCOPE);
    const about = decodeToken(token?.token ?? "");
    expect(about).toMatchObject({ audience: "https://ai.azure.com", tenantId });
    expect(about.principal).toBe(managed ? "managed-identity" : "app");
    // Azure's times are whole seconds.
    expect(token?.expiresOnTimestamp).toBeGreaterThan(before + 3_600_000 - 2_000);
    expect(token?.expiresOnTimestamp).toBeLessThan(Date.now() + 3_600_000 + 2_000);
  });

  test("and named", async () => {
    const named = createDirectCredential({ ...options, source: source as never });
    expect((await named.getToken([SCOPE]))?.token).toMatch(/^eyJ/);
  });

  test.each([
    ["400", { kind: "status", status: 400 }, "credential/refused", 1],
    ["403", { kind: "status", status: 403 }, "credential/refused", 1],
    ["not JSON", { kind: "body", body: "<html>" }, "expiry/not-json", 1],
    ["wrong types", { kind: "body", body: { access_token: 7, expires_on: [] } }, "expiry/unreadable", 1],
    ["no token", { kind: "body", body: { expires_in: 3600 } }, "expiry/no-token", 1],
    ["10 MB", { kind: "body", body: `{"x":"${"y".repeat(10_000_000)}"}` }, "expiry/too-large", 1],
  ] as [string, Partial<Fault>, string, number][])("%s", async (_name, fault, code, hits) => {
    const handle = emulator.faults.add({
      server: "identity",
      times: Number.POSITIVE_INFINITY,
      ...fault,
    } as Fault);
    expect(await failure(createDirectCredential(options))).toMatchObject({ code, hint: expect.any(String) });
    expect(handle.hits).toBe(hits);
  });

  test.each([
    ["429 once", { kind: "status", status: 429, headers: { "retry-after": "0" } }],
    ["500 once", { kind: "status", status: 500 }],
    ["a reset once", { kind: "reset" }],
  ] as [string, Partial<Fault>][])("%s is tried again", async (_name, fault) => {
    const handle = emulator.faults.add({ server: "identity", ...fault } as Fault);
    const credential = createDirectCredential(withClock(hasty, options));
    expect((await credential.getToken(SCOPE))?.token).toMatch(/^eyJ/);
    expect(handle.hits).toBe(1);
  });

  test("a fault that outlasts the caller's deadline is reported with its status", async () => {
    emulator.faults.add({ server: "identity", kind: "status", status: 503, times: Number.POSITIVE_INFINITY });
    expect(await failure(createDirectCredential({ ...options, timeoutMs: 900 }))).toMatchObject({
      code: "credential/server-error",
      status: 503,
    });
  });

  test("429 with a long Retry-After is reported at once, with the time", async () => {
    emulator.faults.add({
      server: "identity",
      kind: "status",
      status: 429,
      headers: { "retry-after": "3000" },
    });
    expect(await failure(createDirectCredential(options))).toMatchObject({
      code: "credential/throttled",
      retryAfterMs: 3_000_000,
    });
  });

  test("a hang ends in its time, and with the caller's signal", async () => {
    const hang = emulator.faults.add({ server: "identity", kind: "hang", times: Number.POSITIVE_INFINITY });
    expect(await failure(createDirectCredential({ ...options, timeoutMs: 200 }))).toMatchObject({
      code: "credential/network",
    });
    const { hits } = hang;
    const stop = new AbortController();
    const waiting = failure(createDirectCredential(options), { abortSignal: stop.signal });
    // Wait for the request; otherwise it would count in another test.
    await expect.poll(() => hang.hits, { interval: 5 }).toBeGreaterThan(hits);
    stop.abort();
    expect(await waiting).toMatchObject({ name: "AbortError" });
    expect(
      await failure(createDirectCredential(options), { abortSignal: AbortSignal.abort() }),
    ).toMatchObject({
      name: "AbortError",
    });
  });

  test("it keeps nothing: each call is a request; the provider in front makes one of many", async () => {
    const credential = createDirectCredential(options);
    const before = emulator.counts.identity;
    await credential.getToken(SCOPE);
    await credential.getToken(SCOPE);
    expect(emulator.counts.identity - before).toBe(2);
    using provider = createBearerTokenProvider(credential, SCOPE);
    await Promise.all(Array.from({ length: 50 }, () => provider()));
    expect(emulator.counts.identity - before).toBe(3);
  });
});

describe("a user-assigned identity", () => {
  const ID = "11111111-2222-4333-8444-555555555555";
  test.each([
    ["app-service", { clientId: ID }, `client_id=${ID}`],
    ["app-service", { objectId: ID }, `object_id=${ID}`],
    ["app-service", { resourceId: "/subscriptions/s/x y" }, "mi_res_id=%2Fsubscriptions%2Fs%2Fx%20y"],
    ["imds", { clientId: ID }, `client_id=${ID}`],
    ["imds", { objectId: ID }, `object_id=${ID}`],
    ["imds", { resourceId: "/subscriptions/s" }, "msi_res_id=%2Fsubscriptions%2Fs"],
  ])("%s %o", async (source, ids, query) => {
    await createDirectCredential({ ...SOURCES[source], ...ids }).getToken(SCOPE);
    expect(last()?.query).toContain(query);
  });

  test("by AZURE_CLIENT_ID", async () => {
    await createDirectCredential({ env: { ...IMDS, AZURE_CLIENT_ID: ID } }).getToken(SCOPE);
    expect(last()?.query).toContain(`client_id=${ID}`);
  });
});

describe("settings that cannot be", () => {
  test.each([
    ["two ids", { ...SOURCES.imds, clientId: "a", objectId: "b" }, "credential/configuration"],
    ["a blank id", { ...SOURCES.imds, clientId: " " }, "credential/configuration"],
    ["developer tools", { env: { AZURE_TOKEN_CREDENTIALS: "dev" } }, "credential/configuration"],
    [
      "a certificate",
      { env: { ...application, AZURE_CLIENT_CERTIFICATE_PATH: "/x.pem" } },
      "credential/configuration",
    ],
    [
      "an endpoint that is none",
      { env: { IDENTITY_ENDPOINT: "ftp://x", IDENTITY_HEADER } },
      "credential/configuration",
    ],
    [
      "an endpoint with a user",
      { env: { IDENTITY_ENDPOINT: "http://a@b/", IDENTITY_HEADER } },
      "credential/configuration",
    ],
    ["no header", { source: "app-service", env: { IDENTITY_ENDPOINT } }, "credential/configuration"],
    [
      "a header of two lines",
      { env: { IDENTITY_ENDPOINT, IDENTITY_HEADER: `${IDENTITY_HEADER}\nx: y` } },
      "credential/configuration",
    ],
    [
      "an authority in plain http",
      { env: { ...application, AZURE_AUTHORITY_HOST: "http://login.example", AZURE_CLIENT_SECRET: "x" } },
      "credential/configuration",
    ],
    [
      "a tenant with a slash",
      { env: { ...application, AZURE_TENANT_ID: "a/../b", AZURE_CLIENT_SECRET: "x" } },
      "credential/configuration",
    ],
    [
      "no token file",
      { env: { ...application, AZURE_FEDERATED_TOKEN_FILE: "/nowhere/token" } },
      "credential/configuration",
    ],
    ["a wrong secret", { env: { ...application, AZURE_CLIENT_SECRET: "wr0ng" } }, "credential/refused"],
    ["an unknown tenant", { ...SOURCES["client-secret"], tenantId: "contoso.com" }, "credential/refused"],
  ] as [string, DirectCredentialOptions, string][])("%s", async (_name, options, code) => {
    const error = await failure(createDirectCredential(options));
    expect(error).toMatchObject({ name: "KeylessError", code, hint: expect.any(String) });
  });

  // A user name before the host hides the real host. A tenant is part of the path.
  const MISLEADING = [
    ["authority", { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com:443@evil.example" }],
    ["authority", { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com@evil.example/" }],
    ["authority", { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com\\@evil.example" }],
    ["authority", { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com/common" }],
    ["authority", { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com?x=1" }],
    ["tenant", { AZURE_TENANT_ID: ".." }],
    ["tenant", { AZURE_TENANT_ID: "%2e%2e" }],
    ["tenant", { AZURE_TENANT_ID: "contoso.com?x=1" }],
    ["tenant", { AZURE_TENANT_ID: "contoso.com#x" }],
    ["tenant", { AZURE_TENANT_ID: "con toso.com" }],
    ["tenant", { AZURE_TENANT_ID: "contoso\\com" }],
    ["client id", { AZURE_CLIENT_ID: "a b" }],
    ["client id", { AZURE_CLIENT_ID: "x\u00a0y" }],
  ] as [string, Record<string, string>][];

  test.each(MISLEADING)(
    "a setting that leads elsewhere is refused before anybody is asked: %s %o",
    async (_what, setting) => {
      const before = emulator.counts.identity;
      const env = { ...application, AZURE_CLIENT_SECRET: clientSecret, ...setting };
      expect(await failure(createDirectCredential({ env }))).toMatchObject({
        code: "credential/configuration",
        hint: expect.any(String),
      });
      expect(emulator.counts.identity).toBe(before);
    },
  );

  test("an empty client id, and one of white space, given as options", async () => {
    for (const id of ["", " ", "\t\n"])
      expect(
        await failure(createDirectCredential({ ...SOURCES["client-secret"], clientId: id })),
      ).toMatchObject({
        code: "credential/configuration",
        message: "The client id is blank",
      });
  });

  // encodeURIComponent throws a URIError for half a surrogate pair.
  const HALF = "pl4nted-\ud83d-S3cret";
  const HALVED = [
    ["AZURE_CLIENT_SECRET", { env: { ...application, AZURE_CLIENT_SECRET: HALF } }],
    ["clientSecret", { env: application, clientSecret: HALF }],
    ["assertion", { env: application, assertion: () => HALF }],
    ["IDENTITY_HEADER", { env: { IDENTITY_ENDPOINT, IDENTITY_HEADER: HALF } }],
    ["client id", { env: { ...application, AZURE_CLIENT_SECRET: clientSecret, AZURE_CLIENT_ID: HALF } }],
    ["client id", { ...SOURCES["client-secret"], clientId: HALF }],
    ["tenant", { ...SOURCES["client-secret"], tenantId: HALF }],
    ["authority", { ...SOURCES["client-secret"], authorityHost: `https://${HALF}` }],
    ["AZURE_FEDERATED_TOKEN_FILE", { env: { ...application, AZURE_FEDERATED_TOKEN_FILE: HALF } }],
  ] as [string, DirectCredentialOptions][];

  test.each(HALVED)("half a character is told without its value: %s", async (name, options) => {
    const error = await failure(createDirectCredential(options));
    expect(error).toMatchObject({ name: "KeylessError", code: "credential/configuration" });
    expect(error.message).toContain(name);
    expect(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}`).not.toMatch(/pl4nted|S3cret/);
  });

  test("half a character in a federated token's file", async () => {
    const broken = join(folder, "broken");
    writeFileSync(broken, Buffer.from([0x70, 0x6c, 0x34, 0xed, 0xa0, 0xbd]));
    const env = { ...application, AZURE_FEDERATED_TOKEN_FILE: broken };
    expect(await failure(createDirectCredential({ env }))).toMatchObject({
      code: "credential/configuration",
      message: expect.stringContaining("AZURE_FEDERATED_TOKEN_FILE"),
    });
  });

  test("a provider is made all the same: whether the secret is used is not known then", async () => {
    const env = { ...emulator.env, AZURE_CLIENT_SECRET: HALF };
    const foundry = createFoundryProvider({ env, credential: "direct" });
    expect(await foundry.tokens()).toMatch(/^eyJ/);
    foundry.close();
  });

  test("a Retry-After that is a date is waited for by the answer's own clock, with jitter on top", async () => {
    const clock = new FakeClock();
    clock.randomValue = 0.5;
    let asked = 0;
    // The server's clock is two hours ahead.
    const server = createServer((_request, response) => {
      asked += 1;
      const now = Math.floor(clock.now() / 1_000) * 1_000 + 7_200_000;
      const date = (ms: number) => new Date(ms).toUTCString();
      if (asked === 1)
        response.writeHead(503, { date: date(now), "retry-after": date(now + 3_000) }).end("busy");
      else response.writeHead(200, { date: date(now) }).end('{"access_token":"t","expires_in":3600}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const env = { IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/`, IDENTITY_HEADER };
    const token = createDirectCredential({ env, clock }).getToken(SCOPE);
    await expect.poll(() => [...clock.timers].map(({ ms }) => ms)).toContain(3_300);
    await clock.advance(3_300);
    expect(await token).toMatchObject({ token: "t" });
    expect(asked).toBe(2);
    server.closeAllConnections();
    server.close();
  });

  test("errors with Entra's codes have a hint", async () => {
    const wrong = createDirectCredential({ env: { ...application, AZURE_CLIENT_SECRET: "wr0ng" } });
    expect(await failure(wrong)).toMatchObject({
      message: expect.stringContaining("AADSTS7000215"),
      hint: expect.stringContaining("the secret's value, not its id"),
    });
  });

  test("several scopes, and none", async () => {
    for (const scopes of [[SCOPE, "https://x/.default"], [], [""]])
      await expect(createDirectCredential(SOURCES.imds).getToken(scopes)).rejects.toMatchObject({
        code: expect.stringMatching(/^(credential\/configuration|provider\/scope)$/),
      });
  });
});

describe("a federated token", () => {
  test("from a callback, called again for each token", async () => {
    let asked = 0;
    const credential = createDirectCredential({
      env: application,
      assertion: async () => {
        asked += 1;
        return federatedToken;
      },
    });
    await credential.getToken(SCOPE);
    await credential.getToken(SCOPE);
    expect(asked).toBe(2);
  });

  test("its file is read anew each time", async () => {
    const renewed = join(folder, "renewed");
    writeFileSync(renewed, "stale");
    const credential = createDirectCredential({
      env: { ...application, AZURE_FEDERATED_TOKEN_FILE: renewed },
    });
    expect(await failure(credential)).toMatchObject({ code: "credential/refused" });
    writeFileSync(renewed, federatedToken);
    expect((await credential.getToken(SCOPE))?.token).toMatch(/^eyJ/);
  });
});

test('providers with credential: "direct" share one token', async () => {
  const env = emulator.env;
  const before = emulator.counts.identity;
  const [one, two] = [
    createFoundryProvider({ env, credential: "direct" }),
    createFoundryProvider({ env, credential: "direct" }),
  ];
  const token = await one.tokens();
  expect(await two.tokens()).toBe(token);
  expect(emulator.counts.identity - before).toBe(1);
  expect(one.credential.kind).toBe("managed-identity");
  one.close();
  two.close();
});
