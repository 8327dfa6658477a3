import {
  type Check,
  type Checks,
  checkArgument,
  either,
  flag,
  number,
  object,
  readKnownOptions,
  readOptions,
  text,
} from "../errors/check.js";
import { modelChecks, TRANSPORT } from "../model/model-options.js";
import { callPlan } from "../wasm/bindings.js";
import type { Endpoint, ProviderPlan, ProviderRequest } from "../wasm/types/provider.js";

/** What the address of an endpoint does not tell. */
export interface EndpointOptions {
  type?: "openai" | "azure" | "anthropic" | undefined;
  apiVersion?: string | undefined;
  scope?: string | undefined;
}

/**
 * Parses an endpoint's address into base URL, provider type and token scope. Corrects obvious
 * mistakes with a warning, and refuses the rest with a {@link KeylessError} whose `hint` says what
 * to pass instead.
 *
 * @param url the address, as text or as a `URL`
 * @throws KeylessError `endpoint/...`, `provider/scope`, `provider/conflict`
 * @example
 * ```ts
 * parseEndpoint("myres.openai.azure.com").baseUrl; // "https://myres.openai.azure.com/openai/v1/"
 * ```
 */
export function parseEndpoint(url: string | URL, options?: EndpointOptions): Endpoint {
  checkArgument("url", url, either(text, isUrl), "endpoint/not-a-url");
  const read = readOptions(
    options,
    { type: modelChecks().type, apiVersion: text, scope: text },
    "provider/conflict",
  );
  return callPlan((planner) => planner.parseEndpoint(String(url), read));
}

/**
 * Plans the provider that the Copilot SDK needs for an endpoint, without a credential: the one that
 * `createFoundryProvider` creates from the same options. Reads no environment except `env`.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `credential/configuration`
 * @example
 * ```ts
 * const { config, model, scope } = planProvider({ endpoint: "myres.openai.azure.com", model: "gpt-5.5" });
 * config; // { type: "openai", wireApi: "responses", baseUrl: "https://myres.openai.azure.com/openai/v1/" }
 * ```
 */
export function planProvider(options: ProviderRequest): ProviderPlan {
  const read = readKnownOptions(options, providerChecks(), "provider/conflict");
  return callPlan((planner) => planner.planProvider(read));
}

function providerChecks(): Checks<ProviderRequest> {
  return {
    ...modelChecks(),
    endpoint: text,
    scope: text,
    maxPromptTokens: number,
    maxOutputTokens: number,
    maxContextWindowTokens: number,
    transport: TRANSPORT,
    ownCredential: flag,
    env: object,
  };
}

const isUrl: Check = { expected: "a URL", fits: (value) => value instanceof URL };
