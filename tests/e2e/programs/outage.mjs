// Meets an outage of the identity endpoint on every surface, with one kind of credential. Reports the
// error codes as JSON. A process of its own, because @azure/identity keeps its managed identity.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import functionsLibrary from "@azure/functions";
import { createChatHandler } from "copilot-keyless/azure-functions";
import { createEdgeChatHandler } from "copilot-keyless/edge";
import { startEmulator } from "copilot-keyless/emulator";
import { createFoundryProvider, FoundryAgent } from "copilot-keyless";

const { HttpRequest, InvocationContext } = functionsLibrary;
const [outage, kind] = process.argv.slice(2);
const emulator = await startEmulator();
const home = mkdtempSync(join(tmpdir(), "copilot-keyless-"));
Object.assign(process.env, emulator.env, { COPILOT_HOME: home });
if (kind === "chain") delete process.env.AZURE_TOKEN_CREDENTIALS;

const times = Infinity;
if (outage === "5xx") emulator.faults.add({ server: "identity", kind: "status", status: 500, times });
if (outage === "silent") emulator.faults.add({ server: "identity", kind: "hang", times });
if (outage === "refused") {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(process.env.IDENTITY_ENDPOINT);
  url.port = server.address().port;
  process.env.IDENTITY_ENDPOINT = url.href;
  server.close();
}

const { ManagedIdentityCredential } = await import("@azure/identity");
const credential = { direct: "direct", "managed-identity": new ManagedIdentityCredential() }[kind];
const options = {
  ...(credential ? { credential } : {}),
  // Shorter than the retries of every credential.
  tokens: { policy: { waitTimeoutMs: 2_000 } },
};

async function codeOf(call) {
  try {
    await call();
  } catch (error) {
    return error.code ?? String(error);
  }
  return "no error";
}

const report = {};
const provider = createFoundryProvider(options);
report.tokens = await codeOf(() => provider.tokens());

const agent = new FoundryAgent({ ...options, preset: "chat" });
report.chat = await codeOf(() => agent.chat("Hi"));
report.stream = await codeOf(async () => {
  for await (const _ of agent.stream("Hi"));
});
// A turn that ends before the wait for the token does.
report.impatient = await codeOf(() => agent.chat("Hi", { timeoutMs: 1_500 }));
await agent.close();

const body = JSON.stringify({ prompt: "Hi" });
const headers = { "content-type": "application/json" };
const context = new InvocationContext({ functionName: "chat", logHandler: () => {} });
const functions = createChatHandler({ ...options, env: process.env });
const request = new HttpRequest({ method: "POST", url: "http://x/chat", headers, body: { string: body } });
const answer = await functions(request, context);
report.functions = JSON.parse(answer.body).code;
await functions.close();

if (kind === "direct") {
  const edge = createEdgeChatHandler({ ...options, authorize: "anonymous", onLog: () => {} });
  const response = await edge(new Request("http://x/chat", { method: "POST", headers, body }));
  report.edge = (await response.json()).code;
  edge.close();
}
console.log(JSON.stringify(report));
rmSync(home, { recursive: true, force: true, maxRetries: 3 });
process.exit();
