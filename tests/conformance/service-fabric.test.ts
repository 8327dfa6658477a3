// In Service Fabric the direct credential and @azure/identity send the same request. The latter
// compares no thumbprint: it needs a process that accepts every certificate.

import { ManagedIdentityCredential } from "@azure/identity";
import { decodeToken } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";

// One kind of managed identity in each process, because MSAL keeps the first that it finds.
const emulator = await startEmulator();
Object.assign(process.env, (await emulator.startSecureHosts()).serviceFabric);
afterAll(() => emulator.stop());

const SCOPE = "https://ai.azure.com/.default";

async function ask(credential: { getToken(scope: string): Promise<{ token: string } | null> }) {
  const token = await credential.getToken(SCOPE);
  const { path, query, status } = emulator.requests.at(-1) ?? expect.fail("no request");
  const { audience, principal } = decodeToken(token?.token ?? "");
  return { audience, principal, path, status, parameters: [...new URLSearchParams(query)].toSorted() };
}

test("ours compares the thumbprint; @azure/identity refuses the certificate", async () => {
  expect((await ask(createDirectCredential())).status).toBe(200);
  const theirs = new ManagedIdentityCredential({ retryOptions: { maxRetries: 0 } });
  await expect(theirs.getToken(SCOPE)).rejects.toThrow();
});

test("the same request, where the process accepts every certificate", async () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  expect(await ask(createDirectCredential())).toEqual(await ask(new ManagedIdentityCredential()));
});
