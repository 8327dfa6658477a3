import type { FoundryAgent } from "../copilot/agent.js";
import type { FoundryProvider } from "../foundry/provider.js";

/** The agent of a worker and its models, created with the first request, or by `warmUp`. */
export interface Running {
  agent: FoundryAgent;
  /** By the names that callers use. The first is the default. */
  models: Map<string, FoundryProvider>;
  /** The folder of the runtime's files. */
  home: string;
  /** Whether it is removed at the end. */
  temporary: boolean;
}
