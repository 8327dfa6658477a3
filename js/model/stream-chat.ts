import {
  abortSignal,
  type Checks,
  duration,
  endpoint as endpointCheck,
  number,
  readOptions,
  text,
  token as tokenCheck,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { setBoundedTimeout, systemClock } from "../platform/clock.js";
import { cleanText } from "../tokens/clean-token.js";
import { callPlan, planModule } from "../wasm/bindings.js";
import { cancellation, toHeaders } from "../wasm/send.js";
import type { ProbeCall } from "../wasm/types/probe.js";
import type { Endpoint, ModelOptions } from "../wasm/types/provider.js";
import type { AccessToken } from "../wasm/types/token.js";
import { diagnosisError } from "./model-error.js";
import { modelChecks } from "./model-options.js";
import { definedOptions, endpointOptions } from "./request-options.js";
import { runDiagnosis } from "./run-diagnosis.js";

/** Options of {@link streamChat}. */
export interface StreamChatOptions extends ModelOptions {
  /**
   * The endpoint of the resource or project, in any form that the portal shows, or parsed by
   * `parseEndpoint`.
   */
  endpoint: string | Endpoint;
  /** The prompt. */
  prompt: string;
  /** The token to send, with or without `Bearer `. */
  token?: string | AccessToken | undefined;
  /** The model to call. Default `gpt-5.5`. */
  model?: string | undefined;
  /** The maximum number of output tokens. */
  maxOutputTokens?: number | undefined;
  /** The deadline for the whole response, in milliseconds. Default 120,000. */
  timeoutMs?: number | undefined;
  /**
   * How long the resource may send no text of the reply, in milliseconds. Default 60,000; 90,000 for
   * a reasoning model.
   */
  firstByteTimeoutMs?: number | undefined;
  /** Aborts the request. */
  signal?: AbortSignal | undefined;
}

function chatChecks(): Checks<StreamChatOptions> {
  return {
    ...modelChecks(),
    endpoint: endpointCheck,
    prompt: text,
    token: tokenCheck,
    maxOutputTokens: number,
    timeoutMs: { ...number, code: "provider/limit" },
    firstByteTimeoutMs: duration,
    signal: abortSignal,
  };
}

/**
 * Sends a prompt to a Foundry or Azure OpenAI endpoint and streams the model's text. Works without
 * the Copilot SDK, wherever there is `fetch`: one question, one answer, no tools. Follows no
 * redirects. Leaving the loop aborts the request.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `token/...`, `agent/empty-prompt` for
 *   invalid options; `model/...` if the network or the resource fails; when the signal aborts, its
 *   reason
 * @example
 * ```ts
 * for await (const text of streamChat({ endpoint, token, model: "gpt-5.5", prompt: "Hello!" })) console.log(text);
 * ```
 */
export async function* streamChat(options: StreamChatOptions): AsyncGenerator<string, void, undefined> {
  const settings = readOptions(options, chatChecks(), "provider/conflict");
  const { token: rawToken, timeoutMs, firstByteTimeoutMs, signal, endpoint, prompt = "", ...rest } = settings;
  if (prompt.trim() === "") {
    throw new KeylessError("agent/empty-prompt", "The prompt is empty", {
      hint: "Pass a question or a task as a string.",
    });
  }
  const token = rawToken === undefined ? undefined : cleanText(rawToken);
  const request = { ...endpointOptions(endpoint), ...definedOptions(rest) };
  const call = callPlan((planner) => planner.planChat(request, prompt, timeoutMs));
  signal?.throwIfAborted();
  const { netModule } = await import("../wasm/net-bindings.js");
  const { Exchange } = netModule();
  const headers = Object.entries(call.headers).flat();
  const exchange = new Exchange(call.url, headers, call.body, token, call.timeoutMs, call.wireApi);
  const { cancelled, release } = cancellation(signal);
  const model = rest.model ?? call.deployment ?? "";
  const firstByteMs = firstByteTimeoutMs ?? planModule().firstByteTimeoutMs(model, undefined);
  let silent = false;
  const timer = setBoundedTimeout(systemClock, firstByteMs, () => {
    silent = true;
    release();
  });
  try {
    signal?.throwIfAborted();
    for (;;) {
      const piece = await exchange.next(cancelled);
      systemClock.clearTimeout(timer);
      signal?.throwIfAborted();
      if (silent) throw failureError(call, token, 0, `no first byte within ${firstByteMs} ms`, []);
      if (piece === undefined) break;
      yield piece;
    }
    const [status, body, ...responseHeaders] = exchange.failure();
    if (status !== undefined) throw failureError(call, token, status, body ?? "", responseHeaders);
  } finally {
    systemClock.clearTimeout(timer);
    release();
    exchange.free();
  }
}

function failureError(
  { endpoint, deployment, wireApi }: ProbeCall,
  token: string | undefined,
  status: number,
  body: string,
  headers: string[],
): KeylessError {
  const diagnosis = runDiagnosis(
    { endpoint, deployment, wireApi, status, headers: toHeaders(headers), body, token },
    (explain, outcome) => explain.judgeProbe(outcome),
  );
  if (diagnosis.code !== "ok") return diagnosisError(diagnosis);
  return new KeylessError("model/unknown", "The endpoint responded, but not with a stream of events", {
    status,
    hint: "Check for a gateway or a proxy that buffers streamed responses, and turn its buffering off.",
  });
}
