import type { Endpoint } from "./types.js";

/** What the core needs to plan a probe. */
export interface ProbeRequest {
  endpoint?: string | undefined;
  model?: string | undefined;
  deployment?: string | undefined;
  type?: "openai" | "azure" | "anthropic" | undefined;
  wireApi?: "responses" | "completions" | undefined;
  apiVersion?: string | undefined;
  headers?: Record<string, string> | undefined;
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
