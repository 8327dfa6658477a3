// The main entry for platforms that cannot start programs: everything except what needs the Copilot
// runtime, without an import of its SDK that a bundler would try to resolve.

import { noRuntime } from "./copilot/unsupported.js";

export * from "./core.js";
export { createFoundryProvider } from "./foundry/provider.js";
export { createFoundryProviders } from "./foundry/providers.js";
export { createBearerTokenProvider } from "./tokens/provider.js";

/** @throws KeylessError `sdk/unsupported-platform` */
export class FoundryAgent {
  constructor() {
    throw noRuntime();
  }
}

export const ManagedIdentityCopilotAgent = FoundryAgent;

/** @throws KeylessError `sdk/unsupported-platform` */
export async function createClaimsChallengeHandler(): Promise<never> {
  throw noRuntime();
}
