// Tests the direct credential where `fetch` is not enough: Service Fabric, whose certificate has a
// known thumbprint, and AKS identity bindings, whose proxy has a server name and an authority.

import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createBearerTokenProvider, createFoundryProvider, decodeToken } from "copilot-keyless";
import { createDirectCredential, type DirectCredentialOptions } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { selfSigned } from "../../../js/emulator/certificate.js";
import { temporaryFolder } from "../../e2e/support.js";
import { failureOf } from "./failure-of.js";

const SCOPE = "https://ai.azure.com/.default";
const emulator = await startEmulator();
const { serviceFabric, identityBinding } = await emulator.startSecureHosts();
afterAll(() => emulator.stop());
afterEach(() => emulator.faults.clear());
const { federatedToken } = emulator.identity;
const folder = temporaryFolder();

const FABRIC: DirectCredentialOptions = { env: serviceFabric };
const BINDING: DirectCredentialOptions = {
  env: identityBinding,
  identityBinding: true,
  assertion: () => federatedToken,
};

const failure = (options: DirectCredentialOptions) =>
  failureOf(options, SCOPE, [serviceFabric.IDENTITY_HEADER, federatedToken]);

describe.each([
  ["Service Fabric", FABRIC, "/metadata/identity/oauth2/token", "managed-identity"],
  [
    "an identity binding",
    BINDING,
    `/identity-binding/${emulator.identity.tenantId}/oauth2/v2.0/token`,
    "app",
  ],
] as const)("%s", (_name, options, path, principal) => {
  test("returns a token and its expiry", async () => {
    const token = await createDirectCredential(options).getToken(SCOPE);
    expect(emulator.requests.at(-1)).toMatchObject({ path, status: 200 });
    const about = decodeToken(token?.token ?? "");
    expect(about).toMatchObject({ audience: "https://ai.azure.com", principal });
    expect(Math.abs((token?.expiresOnTimestamp ?? 0) - (about.expiresOn ?? 0))).toBeLessThan(2_000);
  });

  test("is tried again after a reset, and ends in its time and with the caller's signal", async () => {
    emulator.faults.add({ server: "identity", kind: "reset" });
    expect((await createDirectCredential(options).getToken(SCOPE))?.token).toMatch(/^eyJ/);
    const hang = emulator.faults.add({ server: "identity", kind: "hang", times: Number.POSITIVE_INFINITY });
    expect(await failure({ ...options, timeoutMs: 300 })).toMatchObject({ code: "credential/network" });
    const { hits } = hang;
    const stop = new AbortController();
    const waiting = createDirectCredential(options).getToken(SCOPE, { abortSignal: stop.signal });
    const outcome = expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => hang.hits, { interval: 5 }).toBeGreaterThan(hits);
    stop.abort();
    await outcome;
  });

  test.each([
    [{ kind: "status", status: 403 }, "credential/refused"],
    [{ kind: "body", body: "<html>" }, "expiry/not-json"],
    [{ kind: "body", body: `{"x":"${"y".repeat(1_000_000)}"}` }, "expiry/too-large"],
  ] as const)("%o: %s", async (fault, code) => {
    emulator.faults.add({ server: "identity", ...fault });
    expect(await failure(options)).toMatchObject({ code, hint: expect.any(String) });
  });

  test("a platform without node:tls is told so", async () => {
    const load = process.getBuiltinModule;
    vi.spyOn(process, "getBuiltinModule").mockImplementation(((name: string) =>
      name === "node:tls" ? undefined : load(name)) as never);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(await failure(options)).toMatchObject({
      code: "credential/unavailable",
      message: expect.stringContaining("node:tls"),
      hint: expect.any(String),
    });
  });
});

describe("Service Fabric", () => {
  test("the plan names the host, and the secret is not sent to another certificate", async () => {
    using foundry = createFoundryProvider({ env: serviceFabric, credential: "direct" });
    expect(await foundry.tokens()).toMatch(/^eyJ/);
    expect(foundry.credential).toMatchObject({ kind: "managed-identity", host: "service-fabric" });
    let requests = 0;
    const impostor = createServer(selfSigned("localhost"), (_, response) => {
      requests += 1;
      response.end("{}");
    });
    await new Promise<void>((resolve) => impostor.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void impostor.close());
    const url = `https://127.0.0.1:${(impostor.address() as AddressInfo).port}/`;
    expect(await failure({ env: { ...serviceFabric, IDENTITY_ENDPOINT: url } })).toMatchObject({
      code: "credential/network",
      message: expect.stringContaining("another thumbprint"),
      hint: expect.any(String),
    });
    expect(requests).toBe(0);
  });

  test("the error of the token service is told", async () => {
    const env = { ...serviceFabric, IDENTITY_HEADER: "wr0ng-header" };
    expect(await failure({ env })).toMatchObject({
      code: "credential/refused",
      message: expect.stringContaining("Secret is not found in the request headers."),
    });
  });
});

describe("an identity binding", () => {
  const { AZURE_KUBERNETES_CA_DATA: ca = "", ...rest } = identityBinding;
  const file = join(folder, "ca.crt");
  const byFile = { ...BINDING, env: { ...rest, AZURE_KUBERNETES_CA_FILE: file } };

  test("is used on request alone", async () => {
    const env = { ...identityBinding, AZURE_AUTHORITY_HOST: emulator.identity.authorityHost };
    await createDirectCredential({ ...BINDING, env, identityBinding: false }).getToken(SCOPE);
    expect(emulator.requests.at(-1)?.path).not.toContain("identity-binding");
  });

  test("its authority is read from a file for every request; an empty or missing one keeps the last", async () => {
    writeFileSync(file, "");
    expect(await failure(byFile)).toMatchObject({
      code: "credential/configuration",
      message: expect.stringContaining("is empty"),
    });
    rmSync(file);
    expect(await failure(byFile)).toMatchObject({ code: "credential/configuration" });
    writeFileSync(file, ca);
    expect((await createDirectCredential(byFile).getToken(SCOPE))?.token).toMatch(/^eyJ/);
    writeFileSync(file, "");
    expect((await createDirectCredential(byFile).getToken(SCOPE))?.token).toMatch(/^eyJ/);
    writeFileSync(file, selfSigned("other").cert);
    expect(await failure({ ...byFile, timeoutMs: 500 })).toMatchObject({ code: "credential/network" });
  });

  test.each([
    ["another server name", { AZURE_KUBERNETES_SNI_NAME: "other.example" }],
    ["another authority", { AZURE_KUBERNETES_CA_DATA: selfSigned("other").cert }],
  ])("%s: no token is sent", async (_name, changed) => {
    const before = emulator.counts.identity;
    const env = { ...identityBinding, ...changed };
    expect(await failure({ ...BINDING, env, timeoutMs: 500 })).toMatchObject({ code: "credential/network" });
    expect(emulator.counts.identity).toBe(before);
  });

  test("the proxy's refusal is Entra's", async () => {
    expect(await failure({ ...BINDING, assertion: () => "another-token" })).toMatchObject({
      code: "credential/refused",
      message: expect.stringContaining("AADSTS700213"),
    });
  });
});

test("Service Fabric renews a rejected token in its ordinary version", async () => {
  const env = { ...serviceFabric };
  using tokens = createBearerTokenProvider(createDirectCredential({ env }), SCOPE);
  const first = await tokens();
  const { identity } = emulator.counts;
  emulator.revokeTokens();
  tokens.invalidate(first);
  expect(await tokens()).not.toBe(first);
  expect(emulator.counts.identity).toBe(identity + 1);
  expect(emulator.requests.at(-1)?.query).toMatch(
    /^api-version=2019-07-01-preview&resource=.*&token_sha256_to_refresh=[0-9a-f]{64}&xms_cc=cp1$/,
  );
});
