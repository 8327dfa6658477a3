// Tests the diagnosis through WebAssembly: the table of the native tests, and types that JavaScript
// may pass.

import { inspect } from "node:util";
import { diagnose, type FailedRequest, KeylessError, parseEndpoint } from "copilot-keyless";
import { describe, expect, test } from "vitest";
import { resourceError } from "../../../js/emulator/errors.js";
import { diagnosisTable, jwt } from "../../support/tables.js";

diagnosisTable(({ options, endpoint, ...failure }) =>
  // Endpoint settings become an Endpoint.
  diagnose({ ...failure, endpoint: options ? parseEndpoint(String(endpoint), options) : endpoint }),
);

describe("arguments from JavaScript", () => {
  const { body: role } = resourceError("missing-role-unnamed");

  test("headers of fetch, a parsed body, an AccessToken, an Endpoint", () => {
    const { code, retryAfterMs, requestId } = diagnose({
      endpoint: parseEndpoint("https://myres.openai.azure.com"),
      status: 401,
      headers: new Headers({ "x-ms-request-id": "abc-1", "retry-after": "2" }),
      body: role,
      token: { token: jwt({ oid: "x" }), expiresOnTimestamp: 1 },
    });
    expect({ code, retryAfterMs, requestId }).toEqual({
      code: "missing-role",
      retryAfterMs: 2_000,
      requestId: "abc-1",
    });
  });

  test.each([
    ["a URL", new URL("https://myres.openai.azure.com/openai/v1/")],
    ["a text", "https://myres.openai.azure.com"],
  ])("%s as the endpoint", (_what, endpoint) => {
    const { fixes } = diagnose({ endpoint: endpoint as string, status: 401, body: role });
    expect(fixes[0]).toContain("customSubDomainName=='myres'");
  });

  test("nothing but a status", () => {
    expect(diagnose({ status: 404 }).code).toBe("wrong-path");
    expect(diagnose({ status: 0 }).code).toBe("network");
  });

  test("the time is this machine's unless given", () => {
    const token = jwt({ aud: "https://ai.azure.com", exp: Math.floor(Date.now() / 1000) - 5 });
    expect(diagnose({ status: 401, token }).code).toBe("token-expired");
    expect(diagnose({ status: 401, token, now: 1_000 }).code).toBe("token-invalid");
  });

  test.each([
    undefined,
    null,
    {},
    { status: "401" },
    { status: -1 },
    { status: 4.5 },
    { status: Number.NaN },
  ])("%o is refused", (failure) => {
    expect(() => diagnose(failure as unknown as FailedRequest)).toThrow(
      expect.objectContaining({ code: "diagnosis/invalid", hint: expect.any(String) }),
    );
  });

  test("a body of any kind counts as text or as nothing", () => {
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    for (const body of [loop, 7n, Symbol.iterator, () => 1, [], 5, true])
      expect(diagnose({ status: 400, body }).code).toBe("bad-request");
  });

  test("a secret in the body is not passed on", () => {
    const secret = jwt({ sub: "someone" });
    const diagnosis = diagnose({
      status: 400,
      body: `Your Authorization: Bearer ${secret} is odd; client_secret=s3cr3t~value`,
    });
    expect(inspect(diagnosis)).not.toContain(secret);
    expect(inspect(diagnosis)).not.toContain("s3cr3t~value");
  });
});

test("it throws KeylessError", () => {
  expect(() => diagnose({ status: 1_000 })).toThrow(KeylessError);
});
