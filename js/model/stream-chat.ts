import {
  abortSignal,
  type Checks,
  endpoint as endpointCheck,
  number,
  readOptions,
  text,
  token as tokenCheck,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { cleanText } from "../tokens/text.js";
import { callCore, planModule } from "../wasm/bindings.js";
import type { ProbeCall } from "../wasm/probe.js";
import type { Endpoint, ModelOptions } from "../wasm/provider.js";
import type { AccessToken } from "../wasm/token.js";
import { diagnosed } from "./diagnosed.js";
import { diagnosedError } from "./model-error.js";
import { modelChecks } from "./model-options.js";
import { address, defined } from "./probe-call.js";
import { cancellation, paired } from "./send.js";

/** Options of {@link streamChat}. */
export interface StreamChatOptions extends ModelOptions {
  /** The resource's or project's endpoint, in any form found in the portal, or what `parseEndpoint` made of it. */
  endpoint: string | Endpoint;
  /** What to ask. */
  prompt: string;
  /** The token to send, with or without `Bearer `. */
  token?: string | AccessToken | undefined;
  /** The model to ask. Default `gpt-5.5`. */
  model?: string | undefined;
  /** The most tokens of the answer. */
  maxOutputTokens?: number | undefined;
  /** How long the whole answer may take, in milliseconds. Default 120,000. */
  timeoutMs?: number | undefined;
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
    signal: abortSignal,
  };
}

/**
 * Sends a prompt to a Foundry or Azure OpenAI endpoint and gives the model's text as it comes, without the Copilot SDK: one
 * question, one answer, no tools. It runs wherever there is `fetch`; redirects are not followed. Leaving the loop aborts the request.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `token/...`, `agent/empty-prompt` for options that cannot be used; `model/...`
 * for what the network or the resource refused; the signal's reason when it aborts
 * @example
 * ```ts
 * for await (const text of streamChat({ endpoint, token, model: "gpt-5.5", prompt: "Hello!" })) console.log(text);
 * ```
 */
export async function* streamChat(options: StreamChatOptions): AsyncGenerator<string, void, undefined> {
  const read = readOptions(options, chatChecks(), "provider/conflict");
  const { token: given, timeoutMs, signal, endpoint, prompt = "", ...rest } = read;
  if (prompt.trim() === "") {
    throw new KeylessError("agent/empty-prompt", "The prompt is empty", {
      hint: "Give it a question or a task as text.",
    });
  }
  const token = given === undefined ? undefined : cleanText(given);
  const request = { ...address(endpoint), ...defined(rest) };
  const call = callCore(() => planModule().planChat(request, prompt, timeoutMs));
  signal?.throwIfAborted();
  const { netModule } = await import("../wasm/net-bindings.js");
  const { Exchange } = netModule();
  const headers = Object.entries(call.headers).flat();
  const exchange = new Exchange(call.url, headers, call.body, token, call.timeoutMs, call.wireApi);
  const { cancelled, release } = cancellation(signal);
  try {
    signal?.throwIfAborted();
    for (;;) {
      const piece = await exchange.next(cancelled);
      signal?.throwIfAborted();
      if (piece === undefined) break;
      yield piece;
    }
    const [status, body, ...told] = exchange.failure();
    if (status !== undefined) throw refused(call, token, status, body ?? "", told);
  } finally {
    release();
    exchange.free();
  }
}

function refused(
  { endpoint, deployment, wireApi }: ProbeCall,
  token: string | undefined,
  status: number,
  body: string,
  told: string[],
): KeylessError {
  const found = diagnosed(
    { endpoint, deployment, wireApi, status, headers: paired(told), body, token },
    (plan, outcome) => plan.judgeProbe(outcome),
  );
  if (found.code !== "ok") return diagnosedError(found);
  return new KeylessError("model/unknown", "The endpoint answered, but not with a stream of events", {
    status,
    hint: "Look for a gateway or a proxy that gathers streamed answers, and let it pass them on.",
  });
}
