// The resource that the environment names, by the project's own choice of endpoint, model and
// credential.

import { createFoundryProvider } from "copilot-keyless";

/** Endpoints that Azure itself serves. The checks send tokens for other services to no other host. */
const SERVED_BY_AZURE = ["azure-openai", "foundry-account", "foundry-project", "ai-services"];

/**
 * Returns a provider for the resource. Sends nothing. `credential` replaces the choice of the
 * environment.
 *
 * @throws KeylessError for unusable settings, and an Error with `code` and `hint` for an endpoint
 *   that the checks are not about
 */
export function target({ emulated = false, credential } = {}) {
  const provider = createFoundryProvider({ credential });
  const { kind } = provider.endpoint;
  if (emulated || SERVED_BY_AZURE.includes(kind)) return provider;
  provider.close();
  const error = new Error(`The endpoint is of kind ${kind}, not an OpenAI endpoint of Azure's own`);
  throw Object.assign(error, { code: "live/endpoint", hint: "Name the resource or project itself." });
}
