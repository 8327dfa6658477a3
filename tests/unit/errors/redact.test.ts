// Checks that shown texts contain no secret, in every form in which other libraries' errors have
// contained one.

import { inspect } from "node:util";
import { expect, test } from "vitest";
import { createDirectCredential } from "../../../js/credentials/direct.js";
import { KeylessError } from "../../../js/errors/keyless-error.js";
import { hideSecretsOf, redact } from "../../../js/errors/redact.js";

const SECRET = "s3cr3t~Planted_Value.0123456789";
const JWT = `eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3MDAwMDM2MDB9.${"c2ln".repeat(20)}`;

test.each([
  `token ${JWT} was refused`,
  `token=${JWT}`,
  `https://f.contoso.com/?x%3D${JWT}`,
  `{\\"error\\":\\"at\\n${JWT}\\"}`,
  `_${JWT}`,
  `eyJ${"x5c".repeat(500)}.${JWT}`,
  `Authorization: Bearer ${SECRET}`,
  `authorization: bearer ${SECRET}`,
  `{"Authorization":"Bearer ${SECRET}"}`,
  `{"authorization":"${SECRET}"}`,
  `Authorization: Basic ${SECRET}`,
  `Proxy-Authorization: Basic ${SECRET}`,
  `{"access_token":"${SECRET}","expires_in":3599}`,
  `{"access_token" : "${SECRET}"}`,
  `{\\"access_token\\":\\"${SECRET}\\",\\"expires_in\\":3599}`,
  `{\\\\\\"access_token\\\\\\":\\\\\\"${SECRET}\\\\\\"}`,
  `{"accessToken":"${SECRET}"}`,
  `{"token":"${SECRET}"}`,
  `{\\"token\\":\\"${SECRET}\\"}`,
  `{'refresh_token': '${SECRET}'}`,
  `id_token=${SECRET}&state=1`,
  `client_id=c&client_secret=${SECRET}&scope=s`,
  `client_assertion=${SECRET}`,
  `clientSecret: ${SECRET}`,
  `AZURE_CLIENT_SECRET=${SECRET}`,
  `AZURE_CLIENT_SECRET="${SECRET} with spaces ${SECRET}"`,
  `{"password":"${SECRET} \\" ${SECRET}"}`,
  `AZURE_CLIENT_CERTIFICATE_PASSWORD=${SECRET}`,
  `MSI_SECRET=${SECRET}`,
  `secret: ${SECRET}`,
  `IDENTITY_HEADER=${SECRET}`,
  `X-IDENTITY-HEADER: ${SECRET}`,
  `"x-identity-header": "${SECRET}"`,
  `AZURE_OPENAI_API_KEY=${SECRET}`,
  `api-key: ${SECRET}`,
  `apiKey: '${SECRET}'`,
  `Ocp-Apim-Subscription-Key: ${SECRET}`,
  `AccountName=a;AccountKey=${SECRET};EndpointSuffix=x`,
  `SharedAccessKey=${SECRET}`,
  `https://f.contoso.com/api?code=${SECRET}&x=1`,
  `https://s.contoso.com/c?sv=1&sig=${SECRET}`,
  `https://myres.openai.azure.com/?api-key=${SECRET}`,
])("%s", (text) => {
  const clean = redact(text);
  expect(clean).not.toContain(SECRET);
  expect(clean).not.toContain(JWT.slice(-40));
  expect(clean).toContain("[redacted]");
  expect(redact(clean)).toBe(clean);
});

test.each([
  "The credential returned no token",
  "Bearer token authentication failed",
  "Bearer authentication is not supported here",
  "Set AZURE_TOKEN_CREDENTIALS=dev and run `az login`.",
  "Set FOUNDRY_TOKEN_SCOPE=https://ai.azure.com/.default",
  "Unexpected token: } in JSON at position 5",
  "HTTP 401: the secret of the service principal has expired",
  "connect ECONNREFUSED 169.254.169.254:80",
  "https://myres.openai.azure.com/openai/v1/responses?api-version=2024-10-21",
  "AADSTS700016: Application with identifier '11111111-2222-3333-4444-555555555555' was not found",
])("%s is left as it is", (text) => expect(redact(text)).toBe(text));

// Patterns that backtrack would take hours for these.
test("a long text takes no time that grows with its square", { timeout: 30_000 }, () => {
  for (const piece of [
    "eyJ",
    "eyJ.",
    "eyJabcde.-",
    "secret",
    "bearer ",
    "a_",
    "token=",
    '\\"',
    "password\\",
    '"token',
  ])
    for (const end of ["", ".", ".x"]) expect(redact(piece.repeat(300_000) + end).length).toBeGreaterThan(0);
});

/** Returns an error with secrets in its text and properties, like those of failed requests. */
function leaky(depth = 0): Error {
  return Object.assign(
    new Error(`said client_secret=${SECRET}`, depth < 3 ? { cause: leaky(depth + 1) } : {}),
    {
      name: "RestError",
      code: "E_LEAK",
      statusCode: 400,
      request: { headers: { authorization: `Bearer ${SECRET}` }, body: SECRET },
      errors: depth < 2 ? [leaky(depth + 1)] : undefined,
    },
  );
}

test("a harmless cause is kept; one with a secret is replaced by a redacted copy", () => {
  const harmless = Object.assign(new TypeError("no answer", { cause: new Error("reset") }), { code: "X" });
  expect(new KeylessError("credential/failed", "text", { cause: harmless }).cause).toBe(harmless);
  const circular = Object.assign(new Error("said"), { self: {}, password: undefined as unknown });
  circular.self = circular;
  expect(new KeylessError("credential/failed", "text", { cause: circular }).cause).toBe(circular);
  circular.password = SECRET;
  let deep = new Error(JWT);
  for (let n = 0; n < 200; n += 1) deep = new Error("said", { cause: deep });
  for (const cause of [
    new Error(`client_secret=${SECRET}`),
    new Error("said", { cause: new Error(JWT) }),
    new AggregateError([new Error(`password: ${SECRET}`)], "several"),
    Object.assign(new Error("said"), { request: { headers: { authorization: `Bearer ${SECRET}` } } }),
    circular,
    deep,
  ]) {
    const { cause: copy } = new KeylessError("credential/failed", "text", { cause });
    expect(copy).not.toBe(cause);
    expect(copy).toBeInstanceOf(Error);
    for (let at = copy as Error | undefined; at; at = at.cause as Error | undefined) {
      const said = `${at.message} ${at.stack} ${JSON.stringify(at)} ${inspect(at, { depth: 10 })}`;
      expect(said).not.toContain(SECRET);
      expect(said).not.toContain(JWT);
    }
  }
});

test("a secret of the environment is taken out wherever it stands, in any spelling", () => {
  const secret = 'q~7"x/Y+z 0';
  hideSecretsOf({
    AZURE_CLIENT_SECRET: ` ${secret} `,
    MSI_SECRET: "short",
    IDENTITY_ENDPOINT: "http://host/msi",
  });
  const said = `it was ${secret}, ${encodeURIComponent(secret)} and ${JSON.stringify({ secret })}, short, at http://host/msi`;
  expect(redact(said)).toBe(
    'it was [redacted], [redacted] and {"secret":[redacted]}, short, at http://host/msi',
  );
});

test("no output of an error contains a secret", () => {
  const cause = leaky();
  const error = new KeylessError("credential/failed", `message ${JWT}`, {
    hint: `api-key: ${SECRET}`,
    status: 400,
    cause,
  });
  for (const shown of [
    inspect(error, { depth: 10 }),
    inspect({ error, list: [error] }, { depth: 10, colors: true }),
    inspect(error, { depth: 10, showHidden: true }),
    JSON.stringify({ error }),
    String(error),
    error.message,
    error.hint,
    error.stack,
  ]) {
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain(JWT);
  }
  const shown = inspect(error);
  expect(shown).toMatch(/^KeylessError: message \[redacted\]\n {4}at /);
  expect(shown).toContain("code: 'credential/failed'");
  expect(shown).toContain("[cause]: RestError: said client_secret=[redacted]\n");
  expect(shown).toContain("statusCode: 400");
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    name: "KeylessError",
    code: "credential/failed",
    retryable: false,
    message: "message [redacted]",
    hint: "api-key: [redacted]",
    status: 400,
  });
});

test.each([
  ["a text", `password=${SECRET}`],
  ["an object that is no error", { token: SECRET }],
  ["a number", 5],
  ["a loop", Object.assign(new Error("loop"), {})],
  ["null", null],
  ["a symbol", Symbol("x")],
  ["an object without a prototype", Object.assign(Object.create(null), { message: `secret=${SECRET}` })],
  [
    "a getter that throws",
    Object.defineProperty(new Error("x"), "stack", {
      get: () => {
        throw new Error(SECRET);
      },
    }),
  ],
])("the cause may be %s", (name, cause) => {
  if (name === "a loop") (cause as Error).cause = cause;
  const error = new KeylessError("credential/failed", "text", { cause });
  expect(inspect(error, { depth: 20 })).not.toContain(SECRET);
  expect(inspect(error)).toContain("KeylessError: text");
});

test("an error without a cause", () => {
  const error = new KeylessError("credential/failed", "text");
  expect("cause" in error || "hint" in error || "status" in error).toBe(false);
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe("KeylessError");
  expect(String(error)).toBe("KeylessError: text");
  expect(Object.keys(error)).toEqual(["code", "retryable"]);
});

test("a secret with half a character in it is no error, and is taken out in every spelling", () => {
  const half = "pl4nted-\ud83d-S3cret";
  hideSecretsOf({ AZURE_CLIENT_SECRET: half });
  const spelt = [half, encodeURIComponent(half.replace("\ud83d", "\ufffd")), JSON.stringify(half)];
  expect(redact(spelt.join(" "))).not.toMatch(/pl4nted|S3cret/);
});

test("the secret of a credential's option is hidden from its creation on", () => {
  const clientSecret = "pl4nted value of an option";
  createDirectCredential({ clientSecret, env: {} });
  expect(redact(`it said ${clientSecret}`)).toBe("it said [redacted]");
});
