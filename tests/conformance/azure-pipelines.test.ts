// In Azure Pipelines the direct credential and AzurePipelinesCredential ask for the same OIDC token
// and exchange it in the same way.

import { AzurePipelinesCredential } from "@azure/identity";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";

const emulator = await startEmulator();
const env = emulator.hosts.azurePipelines;
// It sends the job's secret over https only, and takes no authority over plain http.
Object.assign(process.env, (await emulator.startSecureHosts()).azurePipelines);
delete process.env.AZURE_AUTHORITY_HOST;
afterAll(() => emulator.stop());

const SCOPE = "https://ai.azure.com/.default";

/** Plain Node, without types. */
const { startAuthority } = await import(new URL("programs/authority.mjs", import.meta.url).href);

test("the same request, and an assertion that the emulator's Entra accepts", async () => {
  const authority = await startAuthority();
  const theirs = new AzurePipelinesCredential(
    env.AZURESUBSCRIPTION_TENANT_ID ?? "",
    env.AZURESUBSCRIPTION_CLIENT_ID ?? "",
    env.AZURESUBSCRIPTION_SERVICE_CONNECTION_ID ?? "",
    env.SYSTEM_ACCESSTOKEN ?? "",
  );
  expect((await theirs.getToken(SCOPE)).token).toBe("opaque-token-of-entra");
  const { method, path, query, status } = emulator.requests.at(-1) ?? expect.fail("no request");
  const { form } = authority.exchanges.at(-1);

  const before = emulator.requests.length;
  await createDirectCredential({ env }).getToken(SCOPE);
  const [asked, exchanged] = emulator.requests.slice(before);
  expect(asked).toMatchObject({ method, path, query, status });
  expect(exchanged?.status).toBe(200);

  const accepted = await createDirectCredential({
    env,
    source: "workload-identity",
    clientId: env.AZURESUBSCRIPTION_CLIENT_ID,
    tenantId: env.AZURESUBSCRIPTION_TENANT_ID,
    assertion: () => form.client_assertion,
  }).getToken(SCOPE);
  expect(accepted?.token).toMatch(/^eyJ/);
  expect(form).toMatchObject({
    grant_type: "client_credentials",
    client_id: env.AZURESUBSCRIPTION_CLIENT_ID,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    scope: SCOPE,
  });
});
