/** A warning about a value that was accepted. */
export interface Notice {
  /** A stable code, such as `scheme-added`. */
  code: string;
  message: string;
}

/**
 * Says which credential acquires the tokens, and why. Holds names of variables and ids, never a
 * secret.
 */
export interface CredentialPlan {
  /**
   * `option`: your own credential or token function. `none`: no scope is known, so no token is
   * sent. `default`: the whole chain of `DefaultAzureCredential`; `developer-tools` (`dev`) and
   * `deployed-service` (`prod`) are its parts. `github-actions`, `azure-pipelines`: the OIDC token
   * of the job, exchanged by the direct credential. Each of the others is one class of
   * `@azure/identity`.
   */
  kind:
    | "option"
    | "none"
    | "default"
    | "developer-tools"
    | "deployed-service"
    | "environment"
    | "workload-identity"
    | "managed-identity"
    | "visual-studio-code"
    | "azure-cli"
    | "azure-powershell"
    | "azure-developer-cli"
    | "github-actions"
    | "azure-pipelines";
  /** Where the choice comes from: `option`, the name of a variable, or `default`. */
  source: string;
  /** The host of the program, detected by its variables. */
  host?:
    | "app-service"
    | "functions"
    | "container-apps"
    | "service-fabric"
    | "kubernetes"
    | "machine-learning"
    | "azure-arc"
    | "cloud-shell"
    | "foundry-hosted-agent"
    | "github-actions"
    | "azure-pipelines";
  /** The client id of the application or the user-assigned managed identity. */
  clientId?: string;
  /** The variable with the client id. */
  clientIdSource?: string;
  /** The tenant of the application or the hosted agent. */
  tenantId?: string;
  /** The variable with the tenant. */
  tenantIdSource?: string;
  /** The authority to sign in at, if it is not the public cloud's. */
  authorityHost?: string;
  /**
   * Settings that are incomplete, conflict, or have no effect. Not included in the provider's
   * `warnings`.
   */
  warnings: Notice[];
}

/** A parsed endpoint. */
export interface Endpoint {
  /** The input, without secrets. */
  input: string;
  /** The corrected URL. */
  url: string;
  kind:
    | "azure-openai"
    | "foundry-account"
    | "foundry-project"
    | "foundry-anthropic"
    | "ai-services"
    | "gateway"
    | "custom"
    | "local"
    | "openai";
  /** `unknown` for a gateway, another host or this machine. */
  cloud: "public" | "usgov" | "china" | "unknown";
  /** The Copilot SDK's provider type for it. */
  type: "openai" | "azure" | "anthropic";
  /** The Copilot SDK's base URL for it. */
  baseUrl: string;
  /**
   * The scope of its tokens. Absent for a gateway, another host and this machine, where it is
   * unknown.
   */
  scope?: string;
  /** Further scopes that the resource may accept. */
  alternateScopes: string[];
  /** The Entra authority of its cloud. */
  authorityHost?: string;
  resource?: string;
  project?: string;
  /** The deployment in a legacy path. */
  deployment?: string;
  apiVersion?: string;
  warnings: Notice[];
}

/** Selects a model and how to call it. */
export interface ModelOptions {
  /** The well-known model name, such as `gpt-5.5`. */
  model?: string | undefined;
  /** The deployment's name. Default: the model's. */
  deployment?: string | undefined;
  /** The provider type. Default: by the endpoint. */
  type?: "openai" | "azure" | "anthropic" | undefined;
  /** The API format. Default `responses`. */
  wireApi?: "responses" | "completions" | undefined;
  /** A dated API version, for type `azure`. Default: the v1 route, which has no version. */
  apiVersion?: string | undefined;
  /** Headers for every model request. */
  headers?: Record<string, string> | undefined;
}

/** Input of {@link planProvider}. */
export interface ProviderRequest extends ModelOptions {
  endpoint?: string | undefined;
  scope?: string | undefined;
  transport?: "http" | "websockets" | undefined;
  maxPromptTokens?: number | undefined;
  maxOutputTokens?: number | undefined;
  maxContextWindowTokens?: number | undefined;
  /** Whether the program passes its own credential or token function. */
  ownCredential?: boolean;
  env?: Record<string, string | undefined>;
}

/** The Copilot SDK's `ProviderConfig`, without a credential. */
export interface PlannedConfig {
  type: "openai" | "azure" | "anthropic";
  wireApi?: "responses" | "completions";
  transport?: "http" | "websockets";
  baseUrl: string;
  azure?: { apiVersion: string };
  headers?: Record<string, string>;
  modelId?: string;
  wireModel?: string;
  maxPromptTokens?: number;
  maxOutputTokens?: number;
  maxContextWindowTokens?: number;
}

/**
 * The settings of a provider, and the source of each: `option`, the name of a variable, or
 * `default`.
 */
export interface ProviderPlan {
  endpoint: Endpoint;
  model: string;
  config: PlannedConfig;
  scope?: string;
  credential: CredentialPlan;
  sources: { endpoint: string; model: string; scope: string; proxy?: string };
  warnings: Notice[];
}

/** Input for one of several providers. */
export interface NamedProviderRequest extends ProviderRequest {
  name: string;
  models?: readonly object[] | undefined;
}

/**
 * The Copilot SDK's `ProviderModelConfig`, redeclared because the SDK is an optional dependency.
 */
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
