import { systemClock } from "../clock.js";
import type { ChatCall, ChatLimits, ChatRequest, ChunkSource } from "./contract.js";
import { chatError } from "./problem.js";

/** A session id or a model's name is never longer. */
const NAME_CHARS = 512;

/** How much of a body that is too long is still read, in bytes, so that its sender gets to read the answer. */
const DRAINED_BYTES = 4_194_304;

/** Reads and checks what the caller asks. Throws a KeylessError, `chat/...`. */
export async function readRequest(call: ChatCall, limits: ChatLimits): Promise<ChatRequest> {
  if (call.method !== "POST") {
    throw chatError("chat/method-not-allowed", 405, "Only POST is served here");
  }
  const type = call.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw chatError(
      "chat/unsupported-media-type",
      415,
      "The body is not declared as JSON",
      "Send content-type: application/json.",
    );
  }
  return parse(await text(call.body, limits), limits);
}

/** The body's text, if it comes in time and is not too long. What is declared of its length is not believed. */
async function text(body: ChunkSource | null, { bodyBytes, bodyMs }: ChatLimits): Promise<string> {
  if (!body) return "";
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = systemClock.setTimeout(
      () => reject(chatError("chat/slow-request", 408, `The body took longer than ${bodyMs} ms to arrive`)),
      bodyMs,
    );
  });
  late.catch(() => {});
  try {
    for (;;) {
      const next = reader.read();
      next.catch(() => {});
      const { done, value } = await Promise.race([next, late]);
      if (done) break;
      size += value?.byteLength ?? 0;
      if (size <= bodyBytes && value) chunks.push(value);
      if (size > bodyBytes + DRAINED_BYTES) break;
    }
  } finally {
    systemClock.clearTimeout(timer);
  }
  if (size > bodyBytes) {
    throw chatError("chat/body-too-large", 413, `The body is longer than ${bodyBytes} bytes`);
  }
  return decoded(chunks, size);
}

function decoded(chunks: Uint8Array[], size: number): string {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(whole);
  } catch {
    throw notJson();
  }
}

function parse(body: string, { promptChars }: ChatLimits): ChatRequest {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw notJson();
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("an object");
  const { prompt, sessionId, model } = value as Record<string, unknown>;
  if (typeof prompt !== "string" || prompt.trim() === "") throw invalid("a prompt: a text that is not empty");
  if (prompt.length > promptChars) {
    throw chatError("chat/prompt-too-long", 413, `The prompt is longer than ${promptChars} characters`);
  }
  return { prompt, sessionId: name(sessionId, "sessionId"), model: name(model, "model") };
}

/** An optional field; `null` is as good as none. */
function name(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= NAME_CHARS) return value;
  throw invalid(`a text as ${field}, or none`);
}

function notJson() {
  return chatError("chat/not-json", 400, "The body is not JSON in UTF-8", 'Send { "prompt": "..." }.');
}

function invalid(what: string) {
  return chatError("chat/invalid-request", 400, `The body needs ${what}`, 'Send { "prompt": "..." }.');
}
