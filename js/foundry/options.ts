import type { ProviderModelConfig } from "@github/copilot-sdk";
import type { TokenCredential } from "../credentials/credential.js";
import { type Checks, callback, credential, either, number, object, text } from "../errors/check.js";
import { modelChecks, TRANSPORT } from "../model/model-options.js";
import type { TokenProvider, TokenProviderOptions } from "../tokens/types.js";
import type { ModelOptions } from "../wasm/types/provider.js";

/**
 * Options of {@link createFoundryProvider}. All are optional; unset ones come from the environment.
 */
export interface FoundryProviderOptions extends ModelOptions {
  /**
   * The endpoint of the resource or project, in any form that the portal shows. Default: from the
   * environment.
   */
  endpoint?: string | undefined;
  /**
   * The well-known model name, such as `gpt-5.5`. Default: from the environment, else `gpt-5.5`.
   */
  model?: string | undefined;
  /**
   * Acquires the tokens. Default: the credential of `@azure/identity` that the environment selects;
   * see `FoundryProvider.credential`. `"direct"`: the credential of `copilot-keyless/direct`,
   * selected by the environment too, without `@azure/identity`.
   */
  credential?: TokenCredential | "direct" | undefined;
  /** The token scope. Default: by endpoint. */
  scope?: string | undefined;
  /**
   * How requests of the Responses API travel: `"websockets"` keeps one connection for many. Default
   * `"http"`.
   */
  transport?: "http" | "websockets" | undefined;
  /** The most tokens in a prompt: the runtime shortens longer histories. Default: the model's. */
  maxPromptTokens?: number | undefined;
  /** The most tokens in a response. Default: the model's. */
  maxOutputTokens?: number | undefined;
  /** The most tokens in prompt and response together. Default: the model's. */
  maxContextWindowTokens?: number | undefined;
  /** What the model can do, such as vision, where the runtime's own record of it is wrong. */
  modelCapabilities?: ProviderModelConfig["capabilities"] | undefined;
  /**
   * The environment to read. Default `process.env`. `@azure/identity` itself reads only
   * `process.env`: if this one has another identity endpoint or service principal, the direct
   * credential takes its place. Anything else that differs fails at the first token with
   * `credential/configuration`.
   */
  env?: Record<string, string | undefined> | undefined;
  /** A token provider, or options for the one that is created. */
  tokens?: TokenProvider | TokenProviderOptions | undefined;
}

/** The types of {@link FoundryProviderOptions}. */
export function foundryChecks(): Checks<FoundryProviderOptions> {
  return {
    ...modelChecks(),
    endpoint: text,
    credential: either(credential, { expected: '"direct"', fits: (value) => value === "direct" }),
    scope: text,
    transport: TRANSPORT,
    maxPromptTokens: number,
    maxOutputTokens: number,
    maxContextWindowTokens: number,
    modelCapabilities: object,
    env: object,
    tokens: either(callback, object),
  };
}
