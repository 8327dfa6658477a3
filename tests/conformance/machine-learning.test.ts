// In Azure Machine Learning the direct credential and @azure/identity send the same request.

import { ManagedIdentityCredential } from "@azure/identity";
import { decodeToken } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";

// One kind of managed identity in each process, because MSAL keeps the first that it finds.
const emulator = await startEmulator();
Object.assign(process.env, emulator.hosts.machineLearning);
afterAll(() => emulator.stop());

const CLIENT_ID = "11111111-2222-4333-8444-555555555555";

test.each([
  ["system-assigned", {}, new ManagedIdentityCredential()],
  ["by client id", { clientId: CLIENT_ID }, new ManagedIdentityCredential({ clientId: CLIENT_ID })],
])("%s", async (_name, ids, theirs) => {
  const ask = async (credential: { getToken(scope: string): Promise<{ token: string } | null> }) => {
    const token = await credential.getToken("https://ai.azure.com/.default");
    const { path, query, status } = emulator.requests.at(-1) ?? expect.fail("no request");
    const { audience, principal } = decodeToken(token?.token ?? "");
    return { audience, principal, path, status, parameters: [...new URLSearchParams(query)].toSorted() };
  };
  expect(await ask(createDirectCredential(ids))).toEqual(await ask(theirs));
});
