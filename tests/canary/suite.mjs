// The short suite of `npm run canary`: runs in a folder with the packed package and the newest
// releases, and prints a line for each case. Exit code 1 when one fails. The emulator replaces
// Azure.

import assert from "node:assert/strict";
import { DefaultAzureCredential } from "@azure/identity";
import { CopilotClient } from "@github/copilot-sdk";
import { createBearerTokenProvider, createFoundryProvider, FoundryAgent } from "copilot-keyless";
import { createDirectCredential } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import OpenAI, { AzureOpenAI } from "openai";

const SCOPE = "https://ai.azure.com/.default";
const MODEL = "gpt-5.5";
const CASE_MS = 60_000;
const quiet = { availableTools: [], onPermissionRequest: () => ({ kind: "reject" }) };

const emulator = await startEmulator({ chunkDelayMs: 0, tokenRevocation: true });
Object.assign(process.env, emulator.env);
const provide = createBearerTokenProvider(new DefaultAzureCredential(), SCOPE);

/** Runs a turn in a new session. Returns the arguments of the runtime's token callbacks. */
async function turnOfSdk(prepare = () => {}) {
  const foundry = createFoundryProvider();
  const config = foundry.sessionConfig(quiet);
  const asked = [];
  const { bearerTokenProvider } = config.provider;
  config.provider.bearerTokenProvider = (args) => {
    asked.push(args);
    return bearerTokenProvider(args);
  };
  const client = new CopilotClient({ useLoggedInUser: false });
  await client.start();
  try {
    const session = await client.createSession(config);
    foundry.attach(session);
    prepare();
    const reply = await session.sendAndWait({ prompt: "Say hello" }, CASE_MS);
    assert.match(reply.data.content, /hello/i);
    return { asked, session };
  } finally {
    await client.forceStop();
    foundry.close();
  }
}

/** Cases that revoke tokens run last: MSAL still returns the revoked token in this process. */
const CASES = {
  "@azure/identity: DefaultAzureCredential gets a token": async () => assert.match(await provide(), /^ey/),
  "the direct credential gets a token": async () => {
    const { token } = await createDirectCredential().getToken(SCOPE);
    assert.match(token, /^ey/);
  },
  "openai: a response": async () => {
    const client = new OpenAI({
      apiKey: provide,
      baseURL: `${emulator.foundry.url}/openai/v1/`,
      maxRetries: 0,
    });
    const { output_text } = await client.responses.create({ model: MODEL, input: "Say hello" });
    assert.match(output_text, /hello/i);
  },
  "openai: AzureOpenAI, a chat completion": async () => {
    const client = new AzureOpenAI({
      azureADTokenProvider: provide,
      endpoint: emulator.foundry.url,
      apiVersion: "2025-04-01-preview",
      maxRetries: 0,
    });
    const messages = [{ role: "user", content: "Say hello" }];
    const { choices } = await client.chat.completions.create({ model: MODEL, messages });
    assert.match(choices[0].message.content, /hello/i);
  },
  "SDK: the runtime asks bearerTokenProvider, with the names that we know": async () => {
    const { asked, session } = await turnOfSdk();
    assert.ok(asked.length > 0, "it was never asked");
    const { sessionId } = session;
    for (const args of asked) assert.deepEqual(args, { providerName: args.providerName, sessionId });
  },
  "agent: two turns, a token revoked between them": async () => {
    const agent = new FoundryAgent();
    try {
      assert.match(await agent.chat("Say hello"), /hello/i);
      emulator.revokeTokens();
      assert.match(await agent.chat("Say hello again"), /again/i);
    } finally {
      await agent.close();
    }
  },
  "SDK: a session goes on after the resource has rejected its token": async () => {
    const { unauthorized } = emulator.counts;
    await turnOfSdk(() => emulator.revokeTokens());
    assert.ok(emulator.counts.unauthorized > unauthorized, "no token was rejected");
  },
};

let failed = false;
for (const [name, run] of Object.entries(CASES)) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${CASE_MS / 1000} s`)), CASE_MS);
  });
  const error = await Promise.race([run(), late]).then(
    () => undefined,
    (failure) => String(failure?.message ?? failure),
  );
  clearTimeout(timer);
  failed ||= error !== undefined;
  console.log(error === undefined ? `✓ ${name}` : `✗ ${name}: ${error}`);
}
process.exit(failed ? 1 : 0);
