// What the access log says of a call of a model. Needs no Node.

import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { GatewayAccess } from "./access-log.js";

/** Clients name the model first, or at least early. */
const MODEL_WITHIN_BYTES = 16 * 1024;

/** The last event of every API fits in. */
const TAIL_BYTES = 32 * 1024;

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
 * answer or is compressed.
 */
export function noteAnswer(
  entry: GatewayAccess,
  { type, encoding }: { type: string | null | undefined; encoding: string | null | undefined },
): AnswerTail | undefined {
  if (entry.operation === undefined) return undefined;
  entry.streamed = /^text\/event-stream\b/i.test(type ?? "");
  return encoding ? undefined : new AnswerTail();
}

/** Keeps the end of an answer, which says how many tokens it used. */
export class AnswerTail {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= TAIL_BYTES)
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
  }

  usage(): GatewayAccess["usage"] {
    const decoder = new TextDecoder();
    const parts = this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true }));
    const [inputTokens, outputTokens] = gatewayModule().usageOf(parts.join("").slice(-TAIL_BYTES)) ?? [];
    if (inputTokens === undefined || outputTokens === undefined) return undefined;
    return { inputTokens, outputTokens };
  }
}
