// Compares ManagedIdentityCredential.getToken (@azure/identity 4.13, msal-node) with our provider
// over the same credential.

import { describe, expect, test } from "vitest";
import { CREDENTIAL_ITSELF, OURS, reportOf } from "./support.js";

describe.concurrent("1,000 callers at once, and no token yet", () => {
  test("ours: one request", async () => {
    expect(await reportOf("managed-identity", OURS, "cold-callers")).toEqual({ requests: 1, tokens: 1 });
  });

  test("ManagedIdentityCredential: 1,000 requests", async () => {
    expect(await reportOf("managed-identity", CREDENTIAL_ITSELF, "cold-callers")).toMatchObject({
      requests: 1_000,
    });
  });
});

interface Due {
  ms: number;
  sameToken?: boolean;
  error?: string;
  requests: number;
}

/** The result of a call that gets the old token during the refresh. */
const SERVED = { sameToken: true, requests: 2, faults: 1 };

// Not concurrent, because it measures time.
describe("a token of 24 h is past half its lifetime, 11 h are left", () => {
  test.each(["slow", "hang", "reset"])(
    "ours: the old token at once (identity endpoint: %s)",
    async (fault) => {
      const { ms, ...rest } = await reportOf<Due>("managed-identity", OURS, fault);
      expect(rest).toEqual(SERVED);
      expect(ms).toBeLessThan(400);
    },
  );

  test("ManagedIdentityCredential, endpoint takes 500 ms: the call waits for it and returns the old token", async () => {
    const { ms, ...rest } = await reportOf<Due>("managed-identity", CREDENTIAL_ITSELF, "slow");
    expect(rest).toEqual(SERVED);
    expect(ms).toBeGreaterThanOrEqual(400);
  });

  test("ManagedIdentityCredential, endpoint hangs: the call still waits after 2 s", async () => {
    expect(await reportOf<Due>("managed-identity", CREDENTIAL_ITSELF, "hang")).toMatchObject({
      error: "still waiting",
    });
  });

  test("ManagedIdentityCredential, connection reset: the call fails", async () => {
    expect(await reportOf<Due>("managed-identity", CREDENTIAL_ITSELF, "reset")).toMatchObject({
      error: "CredentialUnavailableError",
    });
  });
});

describe.concurrent("a token of 240 s, ten calls", () => {
  test("ours: one request", async () => {
    expect(await reportOf("managed-identity", OURS, "short-token")).toEqual({ requests: 1 });
  });

  test("ManagedIdentityCredential: ten requests", async () => {
    expect(await reportOf("managed-identity", CREDENTIAL_ITSELF, "short-token")).toEqual({ requests: 10 });
  });
});

describe.concurrent("the resource has revoked the token", () => {
  // No code can clear MSAL's cache: it returns the revoked token until 300 s before its expiry.
  test("ours: after invalidate(), it reports that the credential returned the same token", async () => {
    expect(await reportOf("managed-identity", OURS, "revoked")).toMatchObject({
      error: "token/rejected-again",
    });
  });

  test("ManagedIdentityCredential: with a claims challenge, it returns the same token without a request", async () => {
    expect(await reportOf("managed-identity", CREDENTIAL_ITSELF, "revoked")).toEqual({
      requests: 1,
      sameToken: true,
    });
  });
});

describe.concurrent("expiry formats of identity endpoints, ten calls", () => {
  test.each([
    ["epoch seconds as text", "epoch", 1],
    ["06/20/2019 02:57:58 +00:00", "us-linux", 10],
    ["1/16/2020 5:24:12 AM +00:00", "us-windows", 10],
    ["ISO without milliseconds", "iso-without-milliseconds", 10],
    ["expires_in alone", "expires-in-alone", 10],
  ])("%s", async (_name, format, byMsal) => {
    const [ours, msal, oursOverMsal] = await Promise.all([
      reportOf("expiry-format", OURS, "parseTokenResponse", format),
      reportOf("expiry-format", CREDENTIAL_ITSELF, "msal", format),
      reportOf("expiry-format", OURS, "msal", format),
    ]);
    // A credential that uses parseTokenResponse, with our provider.
    expect(ours).toEqual({ requests: 1, given: 10, errors: [] });
    // MSAL reads unknown formats as "now", so each call sends a request.
    expect(msal).toEqual({ requests: byMsal, given: 10, errors: [] });
    // Our provider over MSAL gets MSAL's wrong expiry and uses the token's own instead. An opaque
    // token has none, so our provider rejects it and reports the expiry that it got.
    expect(oursOverMsal).toEqual(
      format === "expires-in-alone" ? { requests: 1, given: 0, errors: ["expiry/already-expired"] } : ours,
    );
  });
});
