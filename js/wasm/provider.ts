/** A remark on something that was accepted all the same. */
export interface Notice {
  /** Stable, such as `scheme-added`. */
  code: string;
  message: string;
}

/** Which credential gives the tokens, and why. It holds names of variables and ids, never a secret. */
export interface CredentialPlan {
  /**
   * `option`: your own credential or token function. `none`: no scope is known, so no token is sent. `default`: the whole chain of
   * `DefaultAzureCredential`; `developer-tools` (`dev`) and `deployed-service` (`prod`) are its parts. The others are one class of
   * `@azure/identity` each.
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
    | "azure-developer-cli";
  /** What decided: `option`, the name of a variable, or `default`. */
  source: string;
  /** Where the program runs, as far as variables tell. */
  host?:
    | "app-service"
    | "functions"
    | "container-apps"
    | "service-fabric"
    | "kubernetes"
    | "machine-learning"
    | "azure-arc"
    | "cloud-shell";
  /** The client id of the service principal, the workload identity or the user-assigned managed identity. */
  clientId?: string;
  /** The tenant of the service principal or the workload identity. */
  tenantId?: string;
  /** Where to sign in, if not at the public cloud's authority. */
  authorityHost?: string;
  /** What is half set, contradicts, or has no effect. They are not among the provider's `warnings`. */
  warnings: Notice[];
}

/** What an endpoint was found to be. */
export interface Endpoint {
  /** The text that was given, without secrets. */
  input: string;
  /** The same, put right. */
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
  /** `unknown` for a gateway, another host, this machine. */
  cloud: "public" | "usgov" | "china" | "unknown";
  /** The provider type that the Copilot SDK has to use. */
  type: "openai" | "azure" | "anthropic";
  /** The base URL that the Copilot SDK has to use. */
  baseUrl: string;
  /** The scope of a token for it. Absent where none can be known: a gateway, another host, this machine. */
  scope?: string;
  /** Other scopes that the resource may accept. */
  alternateScopes: string[];
  /** The Entra authority of its cloud. */
  authorityHost?: string;
  resource?: string;
  project?: string;
  /** The deployment named in a legacy path. */
  deployment?: string;
  apiVersion?: string;
  warnings: Notice[];
}

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
