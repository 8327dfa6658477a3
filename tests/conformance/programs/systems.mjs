// The systems under test. An adapter makes, of a credential, a function that gives a token.

import { createBearerTokenProvider } from "copilot-keyless";

export const SCOPE = "https://ai.azure.com/.default";

/**
 * `create` takes a credential and, where the scenario has one, a simulated clock. A system that cannot be given a clock has the
 * process's own replaced. `reject` tells the system that the resource has rejected a token, if there is a way to.
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
  // What the Copilot SDK's documentation shows: the credential is asked before each model request.
  "credential.getToken": {
    create: (credential) => async () => (await credential.getToken(SCOPE)).token,
    reject: () => false,
  },
};

/** The system named on the command line. */
export function systemUnderTest(name = process.argv[2]) {
  const system = SYSTEMS[name];
  if (!system) throw new Error(`There is no system ${name}`);
  return { name, ...system };
}

/** Tells the test what was found: the last line of the output. */
export function report(found) {
  process.stdout.write(`${JSON.stringify(found)}\n`);
}

/** How a call ended. */
export async function outcomeOf(call) {
  try {
    return { token: await call() };
  } catch (error) {
    return { error: typeof error.code === "string" ? error.code : error.name, message: error.message };
  }
}

/** A credential that numbers its tokens. `failure` makes it fail until it is taken away. */
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

/** An outage: the identity endpoint cannot be reached. */
export async function unreachable() {
  throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
}
