import type { ModelOptions } from "../foundry/plan.js";
import type { Endpoint } from "../types.js";

/** What the core needs to plan a probe. */
export interface ProbeRequest extends ModelOptions {
  endpoint?: string | undefined;
  /** The scope of the tokens, for the diagnosis. */
  scope?: string | undefined;
}

/** The request that the core decided on, without its token, and what the judgement needs to know of it. */
export interface ProbeCall {
  method: "GET" | "POST";
  url: string;
  headers: Record<string, string>;
  body?: string;
  timeoutMs: number;
  endpoint: Endpoint;
  deployment?: string;
  wireApi?: "responses" | "completions";
}

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
