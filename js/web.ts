// The main entry for platforms that start no programs: all of it, but for what needs the Copilot runtime, and no import of its SDK that
// a bundler would look for.

import { noRuntime } from "./copilot/unsupported.js";

export * from "./core.js";
export { createFoundryProvider } from "./foundry/provider.js";
export { createFoundryProviders } from "./foundry/providers.js";
export { createBearerTokenProvider } from "./tokens/provider.js";

/** @throws KeylessError `sdk/unsupported-platform` */
export class ManagedIdentityCopilotAgent {
  constructor() {
    throw noRuntime();
  }
}

/** @throws KeylessError `sdk/unsupported-platform` */
export async function createClaimsChallengeHandler(): Promise<never> {
  throw noRuntime();
}
