import type { ProviderRequest } from "./plan.js";

/** What the core needs to plan one of several providers. */
export interface NamedProviderRequest extends ProviderRequest {
  name: string;
  models?: readonly object[] | undefined;
}

/** What the core makes of a model: the Copilot SDK's `ProviderModelConfig`, whose package not everybody has who reads these types. */
export interface PlannedModel {
  id: string;
  provider: string;
  modelId?: string;
  wireModel?: string;
  name?: string;
  maxPromptTokens?: number;
  maxContextWindowTokens?: number;
  maxOutputTokens?: number;
}
