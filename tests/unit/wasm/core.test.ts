// Tests the core in the package: the tables of the native tests through WebAssembly, and arguments
// from plain JavaScript.

import {
  createFoundryProvider,
  decodeToken,
  KeylessError,
  parseEndpoint,
  parseTokenResponse,
  type TokenProvider,
} from "copilot-keyless";
import { afterEach, describe, expect, test } from "vitest";
import { coreEnvironment } from "../../../js/platform/environment.js";
import { credentialTable, endpointTable, expiryTable, providerTable, thrown } from "../../support/tables.js";

const ENDPOINT = "https://myres.openai.azure.com";

expiryTable((response, { requestedAt, utcOffsetMinutes = Number.NaN }) =>
  // A row without an offset has no time zone; the default would be this machine's.
  parseTokenResponse(response, { requestedAt, utcOffsetMinutes }),
);

endpointTable(parseEndpoint);

providerTable(({ credential: _credential, tokens: _tokens, ...request }) => {
  // The core never receives credential and tokens; some rows have placeholders. Only other
  // languages pass null for an option.
  const given = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== null));
  using provider = createFoundryProvider(given);
  const { bearerTokenProvider, ...config } = provider.config;
  // Without a known scope, no token is sent.
  expect(typeof bearerTokenProvider).toBe(provider.scope === undefined ? "undefined" : "function");
  return { ...provider, config };
});

credentialTable((request) => {
  using provider = createFoundryProvider(request);
  return { ...provider };
});

test("the expiry of a result of MSAL or ADAL is a Date", () => {
  const result = { accessToken: "opaque", expiresOn: new Date(1_700_003_600_000), tokenType: "Bearer" };
  const at = { requestedAt: 1_700_000_000_000 };
  expect(parseTokenResponse(result, at)).toEqual({ token: "opaque", expiresOnTimestamp: 1_700_003_600_000 });
  expect(parseTokenResponse(JSON.stringify(result), at).expiresOnTimestamp).toBe(1_700_003_600_000);
  const broken = { ...result, expiresOn: new Date(Number.NaN) };
  expect(thrown(() => parseTokenResponse(broken, at)).code).toBe("expiry/unreadable");
});

describe("a large answer", () => {
  test("a megabyte and a hundred thousand brackets", () => {
    const at = { requestedAt: 1 };
    const large = JSON.stringify({ access_token: "x".repeat(1 << 20), expires_in: 60 });
    expect(thrown(() => parseTokenResponse(large, at)).code).toBe("expiry/too-large");
    const deep = `{"expires_on":${"[".repeat(100_000)}`;
    expect(thrown(() => parseTokenResponse(deep, at)).code).toBe("expiry/not-json");
  });
});

describe("the environment", () => {
  test("the core is told of secrets only that they are set", () => {
    const secrets = {
      AZURE_CLIENT_SECRET: "pl4nted",
      AZURE_OPENAI_API_KEY: "pl4nted",
      FOUNDRY_API_KEY: "pl4nted",
      IDENTITY_HEADER: "pl4nted",
      HTTPS_PROXY: "http://user:pl4nted@proxy",
      SOMETHING_ELSE: "pl4nted",
    };
    expect(
      coreEnvironment({ ...secrets, IDENTITY_ENDPOINT: " ", AZURE_CLIENT_ID: "id", FOUNDRY_MODEL_NAME: "m" }),
    ).toEqual({
      AZURE_CLIENT_SECRET: "set",
      IDENTITY_HEADER: "set",
      HTTPS_PROXY: "set",
      IDENTITY_ENDPOINT: "",
      AZURE_CLIENT_ID: "id",
      FOUNDRY_MODEL_NAME: "m",
    });
  });

  test("an environment that TypeScript would refuse", () => {
    for (const env of [{ IDENTITY_HEADER: 5, AZURE_CLIENT_ID: null }, { AZURE_CLIENT_SECRET: Symbol("s") }])
      expect(createFoundryProvider({ endpoint: ENDPOINT, env: env as never }).credential.source).toBe(
        "default",
      );
  });

  test("a credential or a token function of one's own: the environment is not asked", () => {
    const env = { AZURE_TOKEN_CREDENTIALS: "nonsense" };
    const option = { kind: "option", source: "option", warnings: [] };
    const credential = { getToken: async () => null };
    const tokens = (async () => "abc") as unknown as TokenProvider;
    expect(createFoundryProvider({ endpoint: ENDPOINT, env, credential }).credential).toEqual(option);
    expect(createFoundryProvider({ endpoint: ENDPOINT, env, tokens }).credential).toEqual(option);
    expect(createFoundryProvider({ endpoint: "http://127.0.0.1:5273", env }).credential.kind).toBe("none");
  });
});

describe("decodeToken", () => {
  const jwt = (claims: object) =>
    `${[{ alg: "none" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".")}.sig`;

  test("a managed identity", () => {
    const claims = {
      aud: "https://ai.azure.com",
      iss: "https://sts.windows.net/tenant/",
      tid: "tenant",
      oid: "principal",
      appid: "app",
      idtyp: "app",
      exp: 1_700_003_600,
      nbf: 1_700_000_000,
      iat: 1_700_000_000,
      xms_mirid:
        "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/robot",
      xms_cc: ["cp1"],
    };
    expect(decodeToken(jwt(claims))).toMatchObject({
      format: "jwt",
      principal: "managed-identity",
      audience: "https://ai.azure.com",
      tenantId: "tenant",
      objectId: "principal",
      appId: "app",
      managedIdentity: claims.xms_mirid,
      issuedAt: 1_700_000_000_000,
      notBefore: 1_700_000_000_000,
      expiresOn: 1_700_003_600_000,
      continuousAccess: true,
    });
  });

  test("a user of the Azure CLI", () => {
    const claims = {
      idtyp: "user",
      scp: "user_impersonation other",
      appid: "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
      upn: "ada@contoso.com",
    };
    expect(decodeToken(jwt(claims))).toMatchObject({
      principal: "user",
      scopes: ["user_impersonation", "other"],
      appName: expect.stringContaining("CLI"),
      userName: "ada@contoso.com",
      continuousAccess: false,
    });
  });

  test.each([
    "",
    "opaque",
    "a.b",
    "a.b.c",
    "eyJ.eyJ.",
    "é".repeat(50),
    "x".repeat(200_000),
    `${"A".repeat(50_000)}.${"A".repeat(50_000)}.`,
  ])("what is no JWT is opaque (%#)", (token) => {
    const described = decodeToken(token);
    expect(described).toEqual({
      format: "opaque",
      principal: "unknown",
      scopes: [],
      roles: [],
      continuousAccess: false,
    });
  });
});

describe("the zone of this machine", () => {
  const { TZ } = process.env;
  afterEach(() => {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  });

  test.each([
    ["Europe/Berlin", "2026-03-29 01:59:59.5", "2026-03-29T00:59:59.500Z"],
    ["Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00.000Z"],
    // A repeated hour counts as the first one: refresh early rather than late.
    ["Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00.000Z"],
    ["Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00.000Z"],
    ["America/New_York", "2026-03-08 01:59:59", "2026-03-08T06:59:59.000Z"],
    ["America/New_York", "2026-03-08 03:00:00", "2026-03-08T07:00:00.000Z"],
    ["America/New_York", "2026-11-01 01:30:00", "2026-11-01T05:30:00.000Z"],
    ["America/New_York", "2026-11-01 02:00:00", "2026-11-01T07:00:00.000Z"],
    ["Asia/Kolkata", "2026-06-01 12:00:00", "2026-06-01T06:30:00.000Z"],
  ])("%s %s", (zone, local, expected) => {
    process.env.TZ = zone;
    const requestedAt = Date.parse(`${local}Z`) - 86_400_000;
    const { expiresOnTimestamp } = parseTokenResponse(
      { accessToken: "t", expiresOn: local },
      { requestedAt },
    );
    expect(new Date(expiresOnTimestamp).toISOString()).toBe(expected);
  });
});

describe("arguments that TypeScript would refuse", () => {
  const odd = [
    undefined,
    null,
    5,
    Number.NaN,
    5n,
    true,
    "text",
    {},
    [],
    Object.create(null),
    Symbol("odd"),
    () => {},
    new Map(),
    new Proxy({}, {}),
  ];
  const AT = { requestedAt: 1_700_000_000_000 };

  /** Allows a result or a KeylessError, but no WebAssembly trap. */
  function told(call: () => unknown): void {
    try {
      call();
    } catch (error) {
      expect(error).toBeInstanceOf(KeylessError);
      expect((error as KeylessError).code).toMatch(/^[a-z]+\/[a-z-]+$/);
      expect((error as KeylessError).message).not.toMatch(
        /unreachable|null function|memory access|recursive use/,
      );
    }
  }

  // The module still works after these arguments.
  afterEach(() => {
    expect(parseEndpoint(ENDPOINT).baseUrl).toBe(`${ENDPOINT}/openai/v1/`);
    expect(parseTokenResponse({ token: "t", expires_in: 60 }, AT).expiresOnTimestamp).toBe(1_700_000_060_000);
    expect(decodeToken("opaque").format).toBe("opaque");
  });

  test.each(odd)("parseEndpoint, decodeToken, parseTokenResponse: %s (%#)", (value) => {
    const any = value as never;
    told(() => parseEndpoint(any));
    told(() => decodeToken(any));
    told(() => parseTokenResponse(any, AT));
    told(() => parseTokenResponse({ token: "t", expires_in: 60 }, any));
    told(() => parseTokenResponse({ token: "t", expires_in: 60 }, { requestedAt: any }));
    told(() =>
      parseTokenResponse({ token: "t", expiresOn: "2023-11-15 00:00:00" }, { ...AT, utcOffsetMinutes: any }),
    );
    for (const field of ["access_token", "expires_on", "expires_in", "expiresOn", "refresh_on"])
      told(() => parseTokenResponse({ access_token: "t", expires_in: 60, [field]: any }, AT));
  });

  test("a URL object is an address", () => {
    expect(parseEndpoint(new URL(ENDPOINT) as never).baseUrl).toBe(`${ENDPOINT}/openai/v1/`);
  });

  test("an address that is none says so", () => {
    for (const value of [{}, Object.create(null), Symbol("x"), []])
      expect(thrown(() => parseEndpoint(value as never)).code).toMatch(/^endpoint\//);
    expect(thrown(() => parseEndpoint(undefined as never)).message).toContain("undefined");
  });

  test("objects that contain themselves, or more than fits", () => {
    const loop: Record<string, unknown> = { access_token: "t", expires_in: 60 };
    loop.self = loop;
    expect(parseTokenResponse(loop, AT).token).toBe("t");
    told(() => parseTokenResponse({ access_token: loop, expires_in: loop }, AT));
    const list: unknown[] = [];
    list.push(list);
    told(() => parseTokenResponse({ access_token: list, expires_in: list }, AT));
    told(() => parseEndpoint(ENDPOINT, { scope: loop } as never));
    told(() => parseEndpoint("x".repeat(5_000_000)));
    told(() => parseEndpoint(`https://${"a.".repeat(100_000)}openai.azure.com`));
    told(() => decodeToken("A".repeat(5_000_000)));
    told(() => parseEndpoint("https://\ud800.openai.azure.com"));
  });

  test("times beyond all bounds", () => {
    for (const requestedAt of [-1, 0, 1e300, -1e300, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.5])
      for (const expires of [1e300, -1e300, 5e-324, Number.MAX_SAFE_INTEGER, "9".repeat(400)])
        for (const field of ["expires_on", "expires_in", "expiresOnTimestamp", "refresh_in"])
          told(() => parseTokenResponse({ token: "t", expires_in: 60, [field]: expires }, { requestedAt }));
    for (const utcOffsetMinutes of [1e10, -1e10, 0.5, Infinity])
      told(() =>
        parseTokenResponse({ token: "t", expiresOn: "2023-11-15 00:00:00" }, { ...AT, utcOffsetMinutes }),
      );
  });
});
