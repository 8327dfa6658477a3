import type { ProbeRequest } from "../wasm/types/probe.js";
import type { Endpoint } from "../wasm/types/provider.js";

/**
 * Converts an endpoint to options of the core: a string as it is, an `Endpoint` by its base URL and
 * settings.
 */
export function endpointOptions(endpoint: string | Endpoint | undefined): ProbeRequest {
  if (typeof endpoint !== "object" || endpoint === null) return { endpoint };
  const { baseUrl, type, apiVersion, scope, deployment } = endpoint;
  return { endpoint: baseUrl, type, apiVersion, scope, deployment };
}

/** Drops undefined options, so that they do not override settings of the endpoint. */
export function definedOptions<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
