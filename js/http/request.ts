import { wellFormed } from "../platform/well-formed.js";
import type { ChatCall, ChatLimits, ChatRequest } from "./contract.js";
import { chatError } from "./problem.js";

/** A session id or a model's name is never longer. */
const NAME_CHARS = 512;

/** Checks what is known before the body is read. Throws a KeylessError, `chat/...`. */
export function checkHead({ method, headers }: ChatCall): void {
  if (method !== "POST") throw chatError("chat/method-not-allowed", 405, "Only POST is served here");
  if (/^application\/json\s*(;|$)/i.test(headers.get("content-type") ?? "")) return;
  throw chatError(
    "chat/unsupported-media-type",
    415,
    "The body is not declared as JSON",
    "Send content-type: application/json.",
  );
}

/** Checks what the caller asks. Throws a KeylessError, `chat/...`. */
export function parseRequest(body: Uint8Array, { promptChars }: ChatLimits): ChatRequest {
  const value = parsed(body);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("an object");
  const { prompt, sessionId, model } = value as Record<string, unknown>;
  if (typeof prompt !== "string" || prompt.trim() === "") throw invalid("a prompt: a text that is not empty");
  if (prompt.length > promptChars) {
    throw chatError("chat/prompt-too-long", 413, `The prompt is longer than ${promptChars} characters`);
  }
  return {
    prompt: wellFormed(prompt),
    sessionId: name(sessionId, "sessionId"),
    model: name(model, "model"),
  };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw chatError("chat/not-json", 400, "The body is not JSON in UTF-8", 'Send { "prompt": "..." }.');
  }
}

/** An optional field; `null` is as good as none. */
function name(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= NAME_CHARS) return wellFormed(value);
  throw invalid(`a text as ${field}, or none`);
}

function invalid(what: string) {
  return chatError("chat/invalid-request", 400, `The body needs ${what}`, 'Send { "prompt": "..." }.');
}
