import type { TokenCredential } from "../credentials/credential.js";
import { type Checks, callback, credential, either, number, object, text } from "../errors/check.js";
import { modelChecks } from "../model/model-options.js";
import type { TokenProvider, TokenProviderOptions } from "../tokens/types.js";
import type { ModelOptions } from "../wasm/provider.js";

/** Options of {@link createFoundryProvider}; all may be left out when the environment says enough. */
export interface FoundryProviderOptions extends ModelOptions {
  /** The resource's or project's endpoint, in any form found in the portal. Else from the environment. */
  endpoint?: string | undefined;
  /** The well-known model name, such as `gpt-5.5`. Else from the environment; default `gpt-5.5`. */
  model?: string | undefined;
  /**
   * Default: the one of `@azure/identity` that the environment asks for; see {@link FoundryProvider.credential}. `"direct"`: that of
   * `copilot-keyless/direct`, by the environment and without `@azure/identity`.
   */
  credential?: TokenCredential | "direct" | undefined;
  /** The token scope. Default: by endpoint. */
  scope?: string | undefined;
  maxPromptTokens?: number | undefined;
  maxOutputTokens?: number | undefined;
  /**
   * The environment to read. Default `process.env`. What `@azure/identity` reads by itself it reads from `process.env`: where this
   * one sets such a variable otherwise, the first token fails with `credential/configuration`.
   */
  env?: Record<string, string | undefined> | undefined;
  /** A token provider of your own, or options for the one that is made. */
  tokens?: TokenProvider | TokenProviderOptions | undefined;
}

/** The types of {@link FoundryProviderOptions}. */
export function foundryChecks(): Checks<FoundryProviderOptions> {
  return {
    ...modelChecks(),
    endpoint: text,
    credential: either(credential, { expected: '"direct"', fits: (value) => value === "direct" }),
    scope: text,
    maxPromptTokens: number,
    maxOutputTokens: number,
    env: object,
    tokens: either(callback, object),
  };
}
