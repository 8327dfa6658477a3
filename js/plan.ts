import type { CredentialPlan, Endpoint, Notice } from "./types.js";

/** What the core needs to plan a provider. */
export interface ProviderRequest {
  endpoint?: string | undefined;
  model?: string | undefined;
  deployment?: string | undefined;
  scope?: string | undefined;
  type?: "openai" | "azure" | "anthropic" | undefined;
  wireApi?: "responses" | "completions" | undefined;
  apiVersion?: string | undefined;
  headers?: Record<string, string> | undefined;
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
