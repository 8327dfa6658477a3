import type { Endpoint, ModelOptions } from "./provider.js";

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
