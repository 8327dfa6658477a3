// Tests the default credential of createFoundryProvider: which endpoints receive requests, and how
// many.
import { subscribe } from "node:diagnostics_channel";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { DefaultAzureCredential } from "@azure/identity";
import { createBearerTokenProvider, createFoundryProvider } from "copilot-keyless";
import { startEmulator } from "copilot-keyless/emulator";
import { startAuthority } from "./authority.mjs";
import { outcomeOf, report, SCOPE } from "./systems.mjs";

const CLIENT = "22222222-2222-2222-2222-222222222222";
const TENANT = "11111111-1111-1111-1111-111111111111";
const SECRET = "pl4nted~S3cret.value";
const PUBLIC = "https://myres.openai.azure.com";

const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-credential-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// Developer tools that record their start and fail.
const starts = join(folder, "starts");
for (const tool of ["az", "azd", "pwsh", "powershell"])
  writeFileSync(join(folder, tool), `#!/bin/sh\necho ${tool} >> '${starts}'\nexit 1\n`, { mode: 0o755 });
process.env.PATH = `${folder}${delimiter}${process.env.PATH}`;

// All hosts that receive a request from this process.
const hosts = new Set();
// Those that the client of @azure/identity asks; the direct credential sends no user agent.
const asksOfIdentity = new Set();
subscribe("http.client.request.start", ({ request }) => {
  const host = request.getHeader("host");
  hosts.add(host);
  if (String(request.getHeader("user-agent")).includes("azsdk-js-identity")) asksOfIdentity.add(host);
});

const federated = join(folder, "token");
writeFileSync(federated, "the-federated-token\n");
const workload = { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: CLIENT, AZURE_FEDERATED_TOKEN_FILE: federated };

/** Acquires a token with the provider's default credential. Returns its kind, source and error. */
async function ask({ endpoint = PUBLIC, env } = {}) {
  const provider = createFoundryProvider({ endpoint, ...(env ? { env } : {}) });
  const { error, message } = await outcomeOf(() => provider.tokens());
  const { kind, source, clientId } = provider.credential;
  return { kind, source, ...(clientId ? { clientId } : {}), ...(error ? { error, message } : {}) };
}

/** Emulates App Service, without `AZURE_TOKEN_CREDENTIALS` unless `more` contains it. */
async function appService(more = {}, fault) {
  const emulator = await startEmulator();
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.env;
  if (fault) emulator.faults.add({ server: "identity", times: Number.POSITIVE_INFINITY, ...fault });
  Object.assign(process.env, { IDENTITY_ENDPOINT, IDENTITY_HEADER, WEBSITE_SITE_NAME: "app" }, more);
  return emulator;
}

function asked(emulator) {
  const own = `127.0.0.1:${emulator.identity.port}`;
  return {
    requests: emulator.counts.identity,
    seen: asksOfIdentity.has(own),
    clientIds: emulator.requests.map(({ query }) => new URLSearchParams(query).get("client_id")),
    elsewhere: [...hosts].filter((host) => host !== own),
    tools: existsSync(starts) ? readFileSync(starts, "utf8").trim().split("\n") : [],
  };
}

/** Returns the requests that Entra received, without secrets. */
function exchanged({ hosts: connected, exchanges }, outcome) {
  return {
    ...outcome,
    hosts: [...new Set(connected)],
    exchanges: exchanges.map(({ path, form }) => ({
      path: path.replace(/\?.*/, ""),
      client: form.client_id,
      scope: form.scope,
      assertion: form.client_assertion,
      ...(form.client_secret === undefined ? {} : { secret: form.client_secret === SECRET }),
    })),
  };
}

const SCENARIOS = {
  async "app-service"() {
    const emulator = await appService();
    return { ...(await ask()), ...asked(emulator) };
  },
  async "user-assigned"() {
    const emulator = await appService({ AZURE_CLIENT_ID: CLIENT });
    return { ...(await ask()), ...asked(emulator) };
  },
  async "user-assigned-by-name"() {
    const emulator = await appService({
      AZURE_CLIENT_ID: CLIENT,
      AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential",
    });
    return { ...(await ask()), ...asked(emulator) };
  },
  async "user-assigned-by-option"() {
    const emulator = await appService();
    const env = { ...process.env, AZURE_CLIENT_ID: CLIENT };
    return { ...(await ask({ env })), ...asked(emulator) };
  },
  async "two-providers"() {
    const emulator = await appService();
    await ask();
    return { ...(await ask({ endpoint: "https://other.openai.azure.com" })), ...asked(emulator) };
  },
  async refused() {
    const emulator = await appService({}, { kind: "status", status: 400 });
    const { message: _message, ...outcome } = await ask();
    return { ...outcome, ...asked(emulator) };
  },
  async "refused-in-the-chain"() {
    const emulator = await appService({}, { kind: "status", status: 400 });
    const provider = createBearerTokenProvider(new DefaultAzureCredential(), SCOPE);
    const { error } = await outcomeOf(() => provider());
    return { error, ...asked(emulator) };
  },
  async proxied() {
    const authority = await startAuthority();
    process.env.AZURE_TOKEN_CREDENTIALS = "ManagedIdentityCredential";
    const { warnings } = createFoundryProvider({ endpoint: PUBLIC }).credential;
    await ask();
    return { warnings: warnings.map(({ code }) => code), proxied: [...new Set(authority.plain)] };
  },
  async "nothing-set"() {
    const { kind, source } = await ask();
    return { kind, source, probed: hosts.has("169.254.169.254") };
  },
  async "not-in-the-process"() {
    const emulator = await startEmulator();
    return { ...(await ask({ env: { ...emulator.env, AZURE_CLIENT_ID: CLIENT } })), ...asked(emulator) };
  },
  async "another-choice-than-the-process"() {
    process.env.AZURE_TOKEN_CREDENTIALS = "ManagedIdentityCredential";
    return ask({ env: { AZURE_TOKEN_CREDENTIALS: "dev" } });
  },
  async "workload-identity"() {
    const authority = await startAuthority();
    Object.assign(process.env, workload);
    return exchanged(authority, await ask());
  },
  async "workload-identity-by-option"() {
    const authority = await startAuthority();
    return exchanged(authority, await ask({ env: workload }));
  },
  async "workload-identity-of-the-government"() {
    const authority = await startAuthority();
    Object.assign(process.env, workload);
    return exchanged(authority, await ask({ endpoint: "https://myres.openai.azure.us" }));
  },
  async "workload-identity-by-managed-identity"() {
    const authority = await startAuthority();
    Object.assign(process.env, workload, { AZURE_TOKEN_CREDENTIALS: "ManagedIdentityCredential" });
    return exchanged(authority, await ask());
  },
  async "service-principal"() {
    const authority = await startAuthority();
    Object.assign(process.env, {
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: CLIENT,
      AZURE_CLIENT_SECRET: SECRET,
    });
    return exchanged(authority, await ask());
  },
};

report(await SCENARIOS[process.argv[2]]());
process.exit();
