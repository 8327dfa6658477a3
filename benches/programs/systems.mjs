// The compared systems, each used as its own documentation shows. Each is a function that returns a
// token.

import { HOUR } from "../../tests/conformance/programs/clocks.mjs";
import { ScriptedCredential } from "../../tests/conformance/programs/systems.mjs";

export const SCOPE = "https://ai.azure.com/.default";

/** A credential that costs nothing, so that only the layer above it is measured. */
const scripted = () => new ScriptedCredential(() => Date.now(), HOUR);

/** Systems over a given credential. */
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
    // Used by its bearerTokenAuthenticationPolicy; not exported.
    const entry = import.meta.resolve("@azure/core-rest-pipeline");
    const { createTokenCycler } = await import(new URL("./util/tokenCycler.js", entry));
    const cycle = createTokenCycler(credential);
    return async () => (await cycle(SCOPE, {})).token;
  },
  /** The fastest possible: keeps one promise, asks once for all callers, refreshes late. */
  "hand-written closure": (credential) => {
    let kept;
    let expires = 0;
    const ask = async () => {
      try {
        const { token, expiresOnTimestamp } = await credential.getToken(SCOPE);
        expires = expiresOnTimestamp;
        return token;
      } catch (error) {
        expires = 0;
        throw error;
      }
    };
    return () => {
      if (Date.now() >= expires) {
        expires = Number.POSITIVE_INFINITY;
        kept = ask();
      }
      return kept;
    };
  },
};

/**
 * Asks the credential before each request to the model, as the Copilot SDK's documentation does.
 */
const asked = (credential) => async () => (await credential.getToken(SCOPE)).token;

/** Credentials of `@azure/identity`; environment variables lead them to the emulator. */
const CREDENTIALS = {
  ManagedIdentityCredential: ({ ManagedIdentityCredential }) => new ManagedIdentityCredential(),
  DefaultAzureCredential: ({ DefaultAzureCredential }) => new DefaultAzureCredential(),
  AzureCliCredential: ({ AzureCliCredential }) => new AzureCliCredential(),
};

/** The library of Microsoft below `@azure/identity`, alone. */
export async function msal() {
  const { ManagedIdentityApplication } = await import("@azure/msal-node");
  const application = new ManagedIdentityApplication();
  return async () => (await application.acquireToken({ resource: SCOPE })).accessToken;
}

export async function credentialOf(name) {
  return CREDENTIALS[name](await import("@azure/identity"));
}

/** Returns the system over a credential of `@azure/identity`, or that credential itself. */
export async function systemOver(name, credential) {
  return OVER[name] ? OVER[name](credential) : asked(credential);
}

/** Returns the system with its usual token source. */
export async function system(name) {
  if (OVER[name]) return OVER[name](scripted());
  if (CREDENTIALS[name]) return asked(await credentialOf(name));
  if (name === "MSAL alone") return msal();
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
  // OpenAI's own token service, which a benchmark cannot reach.
  const exchange = async () => Response.json({ access_token: "token", expires_in: 3_600 });
  const auth = new WorkloadIdentityAuth(config, exchange);
  return () => auth.getToken();
}

/** Reports the result to the runner, as the last line of the output. */
export function report(found) {
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

/** Sends the runner's emulator a message and waits for the answer. */
export function tell(message) {
  return new Promise((resolve) => {
    process.once("message", resolve);
    process.send(message);
  });
}
