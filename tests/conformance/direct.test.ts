// The direct credential and @azure/identity send the same request, and return the same claims and
// expiry.

import { ManagedIdentityCredential } from "@azure/identity";
import { decodeToken } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";

// One kind of managed identity in each process, because MSAL keeps the first that it finds.
const emulator = await startEmulator();
Object.assign(process.env, emulator.env);
afterAll(() => emulator.stop());

// Two ids, because MSAL caches tokens by the id alone, whatever its kind.
const CLIENT_ID = "11111111-2222-4333-8444-555555555555";
const OBJECT_ID = "66666666-2222-4333-8444-555555555555";
const RESOURCE_ID =
  "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

test.each([
  ["system-assigned", {}, new ManagedIdentityCredential()],
  ["by client id", { clientId: CLIENT_ID }, new ManagedIdentityCredential({ clientId: CLIENT_ID })],
  ["by object id", { objectId: OBJECT_ID }, new ManagedIdentityCredential({ objectId: OBJECT_ID })],
  ["by resource id", { resourceId: RESOURCE_ID }, new ManagedIdentityCredential({ resourceId: RESOURCE_ID })],
])("App Service, %s", async (_name, ids, theirs) => {
  const scope = "https://cognitiveservices.azure.com/.default";
  const ask = async (credential: { getToken(scope: string): Promise<unknown> }) => {
    const token = (await credential.getToken(scope)) as { token: string; expiresOnTimestamp: number };
    const { path, query } = emulator.requests.at(-1) ?? expect.fail("no request");
    const about = decodeToken(token.token);
    const { issuedAt: _issued, notBefore: _before, expiresOn, ...claims } = about;
    expect(Math.abs(token.expiresOnTimestamp - (expiresOn ?? 0))).toBeLessThan(2_000);
    return { claims, path, parameters: [...new URLSearchParams(query)].toSorted() };
  };
  expect(await ask(createDirectCredential(ids))).toEqual(await ask(theirs));
});
