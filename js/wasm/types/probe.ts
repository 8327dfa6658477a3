import type { Endpoint, ModelOptions } from "./provider.js";

/** Input of the core for the plan of a probe. */
export interface ProbeRequest extends ModelOptions {
  endpoint?: string | undefined;
  /** The scope of the tokens, for the diagnosis. */
  scope?: string | undefined;
}

/** A planned probe request, without its token, and the facts that its diagnosis needs. */
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
