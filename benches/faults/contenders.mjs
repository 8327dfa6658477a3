// The contenders. Each has `ask(prompt)`, which returns the reply or throws the error that a user
// would see.

import { setTimeout as sleep } from "node:timers/promises";

/** How long a turn may take, for every contender. */
export const TURN_MS = 20_000;

const SCOPE = "https://ai.azure.com/.default";

/** Only contenders with `ours` are judged. */
export const CONTENDERS = {
  agent: { title: "copilot-keyless", ours: true, create: () => agent({}) },
  direct: {
    title: "copilot-keyless, direct credential",
    ours: true,
    create: () => agent({ credential: "direct" }),
  },
  provider: { title: "getBearerTokenProvider", ours: false, create: bearerTokenProvider },
  bare: { title: "the credential per session", ours: false, create: tokenPerSession },
};

/** As docs/guides/get-started.md shows it. */
async function agent(options) {
  const { FoundryAgent } = await import("copilot-keyless");
  const one = new FoundryAgent({
    timeoutMs: TURN_MS,
    session: { availableTools: [] },
    ...options,
  });
  return { ask: (prompt) => one.chat(prompt), close: () => one.close() };
}

/**
 * Uses the token function of `@azure/identity` as the session's callback, in one session that lasts
 * as long as the program.
 */
async function bearerTokenProvider() {
  const { DefaultAzureCredential, getBearerTokenProvider } = await import("@azure/identity");
  const provider = getBearerTokenProvider(new DefaultAzureCredential(), SCOPE);
  const sdk = await clientOfTheSdk();
  let session;
  const ask = async (prompt) => {
    session ??= await sdk.open({ bearerTokenProvider: () => provider() });
    return reply(session, prompt);
  };
  return { ask, close: sdk.close };
}

/**
 * The pattern of the guide for Azure managed identities: a new token and a new session for each
 * prompt.
 */
async function tokenPerSession() {
  const { DefaultAzureCredential } = await import("@azure/identity");
  const credential = new DefaultAzureCredential({ requiredEnvVars: ["AZURE_TOKEN_CREDENTIALS"] });
  const sdk = await clientOfTheSdk();
  const ask = async (prompt) => {
    const { token } = await credential.getToken(SCOPE);
    const session = await sdk.open({ bearerToken: token });
    const text = await reply(session, prompt);
    await session.disconnect();
    return text;
  };
  return { ask, close: sdk.close };
}

/** Creates a client of the Copilot SDK that starts with its first session, as ours does. */
async function clientOfTheSdk() {
  const { CopilotClient } = await import("@github/copilot-sdk");
  const client = new CopilotClient({ useLoggedInUser: false });
  return {
    open: (access) =>
      client.createSession({
        model: process.env.FOUNDRY_MODEL_NAME,
        availableTools: [],
        onPermissionRequest: () => ({ kind: "reject" }),
        provider: {
          type: "openai",
          wireApi: "responses",
          baseUrl: `${process.env.FOUNDRY_RESOURCE_URL}/openai/v1/`,
          ...access,
        },
      }),
    close: () => Promise.race([client.stop(), sleep(3_000)]),
  };
}

async function reply(session, prompt) {
  const answer = await session.sendAndWait({ prompt }, TURN_MS);
  return answer?.data.content;
}
