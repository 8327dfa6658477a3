import type { ProbeRequest } from "../wasm/probe.js";
import type { Endpoint } from "../wasm/provider.js";

/** An endpoint's text, or of one that was read the base URL, which reads the same with its options. */
export function address(endpoint: string | Endpoint | undefined): ProbeRequest {
  if (typeof endpoint !== "object" || endpoint === null) return { endpoint };
  const { baseUrl, type, apiVersion, scope, deployment } = endpoint;
  return { endpoint: baseUrl, type, apiVersion, scope, deployment };
}

/** The options that were given: one that is undefined takes nothing away from the endpoint. */
export function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
