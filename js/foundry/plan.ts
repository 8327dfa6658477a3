import type { CredentialPlan, Endpoint, Notice } from "../types.js";

/** Which model is asked, and how. */
export interface ModelOptions {
  /** The well-known model name, such as `gpt-5.5`. */
  model?: string | undefined;
  /** The deployment's name where it differs from the model's. */
  deployment?: string | undefined;
  /** The provider type. Default: by endpoint. */
  type?: "openai" | "azure" | "anthropic" | undefined;
  /** The API format. Default `responses`. */
  wireApi?: "responses" | "completions" | undefined;
  /** A dated API version, for type `azure`. Default: the versionless v1 route. */
  apiVersion?: string | undefined;
  /** Headers for every model request. */
  headers?: Record<string, string> | undefined;
}

/** What the core needs to plan a provider. */
export interface ProviderRequest extends ModelOptions {
  endpoint?: string | undefined;
  scope?: string | undefined;
  maxPromptTokens?: number | undefined;
  maxOutputTokens?: number | undefined;
  /** Whether the program brings a credential or a token function of its own. */
  ownCredential?: boolean;
  env?: Record<string, string | undefined>;
}

/** The Copilot SDK's `ProviderConfig`, without a credential. */
export interface PlannedConfig {
  type: "openai" | "azure" | "anthropic";
  wireApi?: "responses" | "completions";
  baseUrl: string;
  azure?: { apiVersion: string };
  headers?: Record<string, string>;
  modelId?: string;
  wireModel?: string;
  maxPromptTokens?: number;
  maxOutputTokens?: number;
}

/** What the core decided, and where each setting came from: `option`, the name of a variable, or `default`. */
export interface ProviderPlan {
  endpoint: Endpoint;
  model: string;
  config: PlannedConfig;
  scope?: string;
  credential: CredentialPlan;
  sources: { endpoint: string; model: string; scope: string };
  warnings: Notice[];
}
