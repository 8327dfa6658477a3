// https://learn.microsoft.com/azure/ai-foundry/openai/reference#embeddings

import { createHash } from "node:crypto";
import { tokensOf } from "./answer.js";
import { type ErrorAnswer, invalidRequest, missingParameter } from "./errors.js";
import type { Json } from "./json.js";

const DEFAULT_DIMENSIONS = 1536;
const MOST_DIMENSIONS = 3072;
/** The number of inputs that Azure takes at once. */
const MOST_INPUTS = 2048;

/** The vectors of a request, and the tokens that they cost. */
export interface Embeddings {
  readonly json: Json;
  readonly tokens: number;
}

/**
 * Embeds texts. The same text has the same vector of length 1 in every run; the vectors of different
 * texts say nothing about their meaning.
 */
export function embed(body: Json, deployment: string): Embeddings | { readonly error: ErrorAnswer } {
  const { input, dimensions = DEFAULT_DIMENSIONS, encoding_format: format = "float" } = body;
  if (input === undefined) return { error: missingParameter("input") };
  const inputs = inputsOf(input);
  if (!inputs || inputs.length === 0 || inputs.length > MOST_INPUTS) {
    return { error: invalidRequest("'$.input' is invalid. Please check the API reference.", null, "input") };
  }
  if (!Number.isSafeInteger(dimensions) || Number(dimensions) < 1 || Number(dimensions) > MOST_DIMENSIONS) {
    return { error: invalidRequest("'dimensions' is invalid.", null, "dimensions") };
  }
  if (format !== "float" && format !== "base64") {
    return { error: invalidRequest("'encoding_format' is invalid.", null, "encoding_format") };
  }
  const data = inputs.map((text, index) => {
    const vector = vectorOf(text, Number(dimensions));
    const embedding =
      format === "base64" ? Buffer.from(vector.buffer).toString("base64") : Array.from(vector, Number);
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, text) => sum + tokensOf(text.length), 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { json: { object: "list", data, model: deployment, usage }, tokens };
}

/** Returns the texts: one, several, or one or several lists of token numbers. */
function inputsOf(input: unknown): string[] | undefined {
  if (typeof input === "string") return input === "" ? undefined : [input];
  if (!Array.isArray(input)) return undefined;
  if (isTokens(input)) return [JSON.stringify(input)];
  const texts = input.map((item: unknown) => (isTokens(item) ? JSON.stringify(item) : item));
  return texts.every((text) => typeof text === "string" && text !== "") ? (texts as string[]) : undefined;
}

function isTokens(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isSafeInteger);
}

function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  const seed = createHash("sha256").update(text).digest();
  let block = seed;
  for (let i = 0; i < dimensions; i += 1) {
    const at = (i % 8) * 4;
    if (at === 0) block = createHash("sha256").update(seed).update(String(i)).digest();
    vector[i] = block.readInt32LE(at) / 2 ** 31;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
