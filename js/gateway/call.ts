// What the access log says of a call of a model. Needs no Node.

import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { GatewayAccess } from "./access-log.js";

/** Clients name the model first, or at least early. */
const MODEL_WITHIN_BYTES = 16 * 1024;

/** The last event of every API fits in. */
const TAIL_BYTES = 32 * 1024;

/** The first event of Anthropic's streams fits in, which may alone count the input. */
const HEAD_BYTES = 2 * 1024;

/**
 * Notes what a request asks of a model, if it asks one. `target`: path and query. `model`: if it was
 * read already.
 */
export function noteRequest(
  entry: GatewayAccess,
  target: string,
  { body, model }: { body?: Uint8Array | undefined; model?: string | undefined },
): void {
  entry.operation = gatewayModule().operation(target);
  if (entry.operation === undefined) return;
  const beginning = body?.subarray(0, MODEL_WITHIN_BYTES);
  entry.model = beginning ? gatewayModule().modelOf(target, beginning) : model;
}

/**
 * Notes of a model's answer whether it is a stream. Returns a reader of its end, unless it is no such
 * answer or is compressed. `header`: returns the value of one of its headers.
 */
export function noteAnswer(
  entry: GatewayAccess,
  header: (name: "content-type" | "content-encoding") => string | null | undefined,
): AnswerTail | undefined {
  if (entry.operation === undefined) return undefined;
  entry.streamed = /^text\/event-stream\b/i.test(header("content-type") ?? "");
  return header("content-encoding") ? undefined : new AnswerTail();
}

/** Keeps the beginning and the end of an answer, which say how many tokens it used. */
export class AnswerTail {
  #head = "";
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= TAIL_BYTES) {
      const dropped = this.#chunks.shift();
      this.#bytes -= dropped?.length ?? 0;
      this.#head ||= new TextDecoder().decode(dropped?.subarray(0, HEAD_BYTES));
    }
  }

  usage(): GatewayAccess["usage"] {
    const decoder = new TextDecoder();
    const parts = this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true }));
    const text = parts.join("");
    const head = this.#head || (text.length > TAIL_BYTES ? text.slice(0, HEAD_BYTES) : "");
    const [inputTokens, outputTokens] = gatewayModule().usageOf(head + text.slice(-TAIL_BYTES)) ?? [];
    if (inputTokens === undefined || outputTokens === undefined) return undefined;
    return { inputTokens, outputTokens };
  }
}
