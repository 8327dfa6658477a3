import type { FoundryProviderOptions } from "copilot-keyless";

/** The options of every command that needs an endpoint. */
export interface EndpointOptions {
  endpoint?: string;
  model?: string;
  deployment?: string;
  scope?: string;
}

/** The same, as `createFoundryProvider` takes them. */
export function providerOptions({
  endpoint,
  model,
  deployment,
  scope,
}: EndpointOptions): FoundryProviderOptions {
  const given = Object.entries({ endpoint, model, deployment, scope }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(given);
}
