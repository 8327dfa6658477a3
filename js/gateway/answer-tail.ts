import type { IncomingHttpHeaders } from "node:http";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { GatewayAccess } from "./options.js";

/** The last event of every API fits in. */
const TAIL_BYTES = 32 * 1024;

/** Keeps the end of an answer, which says how many tokens it used. */
export class AnswerTail {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= TAIL_BYTES)
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
  }

  usage(): GatewayAccess["usage"] {
    const text = Buffer.concat(this.#chunks).subarray(-TAIL_BYTES).toString();
    const [inputTokens, outputTokens] = gatewayModule().usageOf(text) ?? [];
    return inputTokens === undefined || outputTokens === undefined
      ? undefined
      : { inputTokens, outputTokens };
  }
}

/** Whether the answer of a model can be read as it passes. */
export function isReadable(headers: IncomingHttpHeaders): boolean {
  return headers["content-encoding"] === undefined;
}

/** Whether an answer is a stream of events. */
export function isStream(headers: IncomingHttpHeaders): boolean {
  return /^text\/event-stream\b/i.test(headers["content-type"] ?? "");
}
