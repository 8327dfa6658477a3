import type { FoundryAgent } from "../copilot/agent.js";
import type { FoundryProvider } from "../foundry/provider.js";

/** The agent of a worker and its models, created with the first request. */
export interface Running {
  agent: FoundryAgent;
  /** By the names that callers use. The first is the default. */
  models: Map<string, FoundryProvider>;
  /** A folder to remove at the end. */
  temporary: string | undefined;
}
