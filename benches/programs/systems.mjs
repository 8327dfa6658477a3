// What is measured: each takes the way its own documentation shows, and gives a function that gives a token.

import { HOUR } from "../../tests/conformance/programs/clocks.mjs";
import { ScriptedCredential } from "../../tests/conformance/programs/systems.mjs";

export const SCOPE = "https://ai.azure.com/.default";

/** A credential that costs nothing: what is measured is what stands between it and its callers. */
const scripted = () => new ScriptedCredential(() => Date.now(), HOUR);

/** Over a credential of somebody's own. */
const OVER = {
  "copilot-keyless": async (credential) => {
    const { createBearerTokenProvider } = await import("copilot-keyless");
    return createBearerTokenProvider(credential, SCOPE);
  },
  getBearerTokenProvider: async (credential) => {
    const { getBearerTokenProvider } = await import("@azure/identity");
    return getBearerTokenProvider(credential, SCOPE);
  },
  "core-rest-pipeline's cycler": async (credential) => {
    // What its bearerTokenAuthenticationPolicy keeps tokens with; not exported by itself.
    const entry = import.meta.resolve("@azure/core-rest-pipeline");
    const { createTokenCycler } = await import(new URL("./util/tokenCycler.js", entry));
    const cycle = createTokenCycler(credential);
    return async () => (await cycle(SCOPE, {})).token;
  },
  /** As short as it can be: it refreshes late and all at once, and knows nothing of failures. */
  "hand-written closure": (credential) => {
    let token;
    let expires = 0;
    return async () => {
      if (Date.now() >= expires) {
        ({ token, expiresOnTimestamp: expires } = await credential.getToken(SCOPE));
      }
      return token;
    };
  },
};

/** As the Copilot SDK's documentation uses a credential: asked before each request to the model. */
const asked = (credential) => async () => (await credential.getToken(SCOPE)).token;

/** Credentials of `@azure/identity`; the environment leads them to the emulator. */
const CREDENTIALS = {
  ManagedIdentityCredential: ({ ManagedIdentityCredential }) => new ManagedIdentityCredential(),
  DefaultAzureCredential: ({ DefaultAzureCredential }) => new DefaultAzureCredential(),
  AzureCliCredential: ({ AzureCliCredential }) => new AzureCliCredential(),
};

export async function credentialOf(name) {
  return CREDENTIALS[name](await import("@azure/identity"));
}

/** The system over a credential of `@azure/identity`, or that credential itself. */
export async function systemOver(name, credential) {
  return OVER[name] ? OVER[name](credential) : asked(credential);
}

/** The system with the token source that suits it. */
export async function system(name) {
  if (OVER[name]) return OVER[name](scripted());
  if (CREDENTIALS[name]) return asked(await credentialOf(name));
  if (name === "openai's workload identity") return openai();
  throw new Error(`There is no system ${name}`);
}

async function openai() {
  const { WorkloadIdentityAuth } = await import("openai/auth/workload-identity-auth");
  const config = {
    identityProviderId: "idp",
    serviceAccountId: "sa",
    provider: { tokenType: "jwt", getToken: async () => "subject" },
  };
  // OpenAI's own token service, which cannot be reached from a bench.
  const exchange = async () => Response.json({ access_token: "token", expires_in: 3_600 });
  const auth = new WorkloadIdentityAuth(config, exchange);
  return () => auth.getToken();
}

/** Tells the runner what was found: the last line of the output. */
export function report(found) {
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

/** Tells the runner's emulator something, and waits until it is done. */
export function tell(message) {
  return new Promise((resolve) => {
    process.once("message", resolve);
    process.send(message);
  });
}
