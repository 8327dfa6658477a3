import type { ProviderModelConfig } from "@github/copilot-sdk";
import type { ProviderRequest } from "./plan.js";

/** What the core needs to plan one of several providers. */
export interface NamedProviderRequest extends ProviderRequest {
  name: string;
  models?: readonly object[] | undefined;
}

/** What the core makes of a model. */
export type PlannedModel = Omit<ProviderModelConfig, "capabilities">;
