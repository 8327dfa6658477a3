// The systems under test. An adapter turns a credential into a function that returns a token.

import { createBearerTokenProvider } from "copilot-keyless";

export const SCOPE = "https://ai.azure.com/.default";

/**
 * `create` takes a credential and, in some scenarios, a simulated clock. If a system does not
 * accept a clock, its adapter replaces the process's clock. `reject` reports a rejected token to
 * the system, if it has a function for that.
 */
const SYSTEMS = {
  "copilot-keyless": {
    create: (credential, clock, options = {}) =>
      createBearerTokenProvider(credential, SCOPE, { ...(clock ? { clock } : {}), ...options }),
    reject: (provider, token) => provider.invalidate(token),
  },
  getBearerTokenProvider: {
    create: async (credential, clock) => {
      const { getBearerTokenProvider } = await import("@azure/identity");
      clock?.install();
      return getBearerTokenProvider(credential, SCOPE);
    },
    reject: () => false,
  },
  // As in the Copilot SDK's documentation: calls the credential before each model request.
  "credential.getToken": {
    create: (credential) => async () => (await credential.getToken(SCOPE)).token,
    reject: () => false,
  },
};

/** Returns the system that the command line names. */
export function systemUnderTest(name = process.argv[2]) {
  const system = SYSTEMS[name];
  if (!system) throw new Error(`There is no system ${name}`);
  return { name, ...system };
}

/** Reports the result to the test, as the last line of the output. */
export function report(found) {
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

/** Returns the token or the error of a call. */
export async function outcomeOf(call) {
  try {
    return { token: await call() };
  } catch (error) {
    return { error: typeof error.code === "string" ? error.code : error.name, message: error.message };
  }
}

/** A credential that numbers its tokens. It fails as long as `failure` is set. */
export class ScriptedCredential {
  asked = 0;
  failure;
  issued = 0;
  expiries = new Map();

  constructor(now, livesMs, { refreshAfterMs } = {}) {
    this.now = now;
    this.livesMs = livesMs;
    this.refreshAfterMs = refreshAfterMs;
  }

  async getToken() {
    this.asked += 1;
    if (this.failure) return this.failure();
    this.issued += 1;
    const token = `token-${this.issued}`;
    const now = this.now();
    this.expiries.set(token, now + this.livesMs);
    return {
      token,
      expiresOnTimestamp: now + this.livesMs,
      ...(this.refreshAfterMs === undefined ? {} : { refreshAfterTimestamp: now + this.refreshAfterMs }),
    };
  }
}

/** An outage: the identity endpoint is unreachable. */
export async function unreachable() {
  throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
}
