import type { FoundryProviderOptions } from "copilot-keyless";

/** Options of the commands that need an endpoint. */
export interface EndpointOptions {
  endpoint?: string;
  model?: string;
  deployment?: string;
  scope?: string;
}

/** Converts them to options of `createFoundryProvider`. */
export function providerOptions({
  endpoint,
  model,
  deployment,
  scope,
}: EndpointOptions): FoundryProviderOptions {
  const defined = Object.entries({ endpoint, model, deployment, scope }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(defined);
}
