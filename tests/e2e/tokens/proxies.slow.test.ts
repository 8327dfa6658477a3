// Behind a dead or forbidding proxy the error names the variable, and says that the refusal was the
// proxy's and not Azure's. Nothing leaves this machine: no proxy here lets a request through.

import { describe, expect, test } from "vitest";
import { newcomer, root, run } from "../../support/process.js";
import { type ProxyKind, startProxy } from "../../support/proxy.js";
import { temporaryFolder } from "../support.js";

interface Reported {
  code: string;
  message: string;
  hint: string;
  status?: number;
}

const ENTRA = {
  AZURE_TOKEN_CREDENTIALS: "EnvironmentCredential",
  AZURE_TENANT_ID: "72f988bf-86f1-41af-91ab-2d7cd011db47",
  AZURE_CLIENT_ID: "6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44",
  AZURE_CLIENT_SECRET: "a-client-secret-of-a-test",
};
const MANAGED_IDENTITY = {
  AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
  IDENTITY_ENDPOINT: "http://169.254.130.1:4141/msi/token",
  IDENTITY_HEADER: "a-header-of-a-test",
};

async function behind(kind: ProxyKind, client: string, env: Record<string, string>): Promise<Reported> {
  const proxy = await startProxy(kind);
  try {
    const { stdout, stderr } = await run(process.execPath, [`${root}tests/e2e/programs/proxy.mjs`, client], {
      env: newcomer({
        FOUNDRY_RESOURCE_URL: "https://myres.openai.azure.com",
        COPILOT_HOME: temporaryFolder(),
        // Longer than the retries of MSAL, except behind a proxy that hangs.
        WAIT_MS: kind === "hang" ? "4000" : "60000",
        ...env,
        [client === "managed-identity" ? "HTTP_PROXY" : "HTTPS_PROXY"]: proxy.url,
      }),
    });
    expect(stdout + stderr).not.toContain("proxy-password");
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  } finally {
    proxy.stop();
  }
}

const CAUSES: [ProxyKind, RegExp][] = [
  ["dead", /The proxy in HTTPS?_PROXY cannot be reached/],
  [403, /The proxy in HTTPS?_PROXY answered in place of the identity endpoint/],
  [407, /The proxy in HTTPS?_PROXY asks for a sign-in \(HTTP 407\)/],
  [502, /The proxy in HTTPS?_PROXY answered in place of the identity endpoint/],
];

describe.concurrent.each([
  ["entra", ENTRA, "login.microsoftonline.com"],
  ["managed-identity", MANAGED_IDENTITY, "169.254.130.1"],
] as const)("a token by %s", (client, env, host) => {
  test.each(CAUSES)("proxy: %s", { timeout: 120_000 }, async (kind, cause) => {
    const error = await behind(kind, client, env);
    expect(error.code).toBe("credential/network");
    expect(error.status).toBeUndefined();
    expect(error.message).toContain(`the proxy for ${host}`);
    expect(error.hint).toMatch(cause);
    expect(error.hint).toContain(`export NO_PROXY=169.254.169.254,localhost,127.0.0.1,${host}`);
  });
});

test("a token from a managed identity behind a proxy that hangs", { timeout: 120_000 }, async () => {
  const error = await behind("hang", "managed-identity", MANAGED_IDENTITY);
  expect(error).toMatchObject({
    code: "credential/network",
    message: expect.stringContaining("no answer from the proxy for 169.254.130.1"),
    hint: expect.stringContaining("export NO_PROXY=169.254.169.254"),
  });
});

describe.concurrent("a reply by the Copilot runtime", () => {
  test.each<[ProxyKind, RegExp]>([
    ["dead", /did not reach myres\.openai\.azure\.com: the proxy in HTTPS_PROXY cannot be reached/],
    [403, /the proxy in HTTPS_PROXY does not let the request through/],
    [407, /the proxy in HTTPS_PROXY asks for a sign-in \(HTTP 407\)/],
    [502, /the proxy in HTTPS_PROXY does not let the request through/],
  ])("proxy: %s", { timeout: 120_000 }, async (kind, cause) => {
    const { code, message, hint } = await behind(kind, "runtime", { NO_PROXY: "internal.example" });
    expect(code).toBe("model/network");
    expect(message).toMatch(cause);
    expect(hint).toContain("NO_PROXY=internal.example,myres.openai.azure.com");
  });
});
