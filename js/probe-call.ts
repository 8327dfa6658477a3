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
  endpoint: string;
  deployment?: string;
}

/** What came of it; `status` 0 stands for no answer, with what the network said as its body. */
export interface ProbeOutcome {
  endpoint: string;
  deployment?: string | undefined;
  status: number;
  headers: Record<string, string>;
  body: string;
  token?: string | undefined;
  /** Epoch milliseconds. */
  now: number;
}
