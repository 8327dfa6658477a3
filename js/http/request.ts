import { didYouMean } from "../errors/nearest.js";
import { wellFormed } from "../platform/well-formed.js";
import type { ChatCall, ChatLimits, ChatRequest } from "./contract.js";
import { chatError } from "./problem.js";

/** The longest session id or name of a model. */
const MAX_NAME_CHARS = 512;

/** How much of an unknown field's name is repeated. */
const MAX_FIELD_CHARS = 40;

const PROMPT_HINT = 'Send { "prompt": "..." }.';

const FIELDS: readonly (keyof ChatRequest)[] = ["prompt", "sessionId", "model"];

/** Checks method and content type, before the body is read. Throws a KeylessError `chat/...`. */
export function checkHead({ method, headers }: ChatCall): void {
  if (method !== "POST") throw chatError("chat/method-not-allowed", 405, "Use POST");
  if (/^application\/json\s*(;|$)/i.test(headers.get("content-type") ?? "")) return;
  throw chatError(
    "chat/unsupported-media-type",
    415,
    "The body is not declared as JSON",
    "Send content-type: application/json.",
  );
}

/** Parses and checks the body of a request. Throws a KeylessError `chat/...`. */
export function parseRequest(body: Uint8Array, { promptChars }: ChatLimits): ChatRequest {
  const { prompt, sessionId, model, ...others } = parseObject(body, PROMPT_HINT);
  for (const name of Object.keys(others)) {
    const shown = wellFormed(name.slice(0, MAX_FIELD_CHARS));
    throw invalidBody(
      `no field ${shown}`,
      `${didYouMean(shown, FIELDS)}The fields are ${FIELDS.join(", ")}.`,
    );
  }
  return {
    prompt: checkedPrompt(prompt, "prompt", promptChars),
    sessionId: parseName(sessionId, "sessionId"),
    model: parseName(model, "model"),
  };
}

/**
 * Whether a request with `last-event-id` ends the reply instead of resuming it: its body is
 * `{ "cancel": true }`, else `{}`.
 */
export function isCancellation(body: Uint8Array): boolean {
  return parseObject(body, PROMPT_HINT).cancel === true;
}

/** Checks a prompt, the field of this name. Throws a KeylessError `chat/...`. */
export function checkedPrompt(prompt: unknown, field: string, promptChars: number): string {
  if (typeof prompt !== "string" || prompt.trim() === "") {
    throw invalidBody(`${field}, a non-empty string`, `Send { "${field}": "..." }.`);
  }
  if (prompt.length > promptChars) {
    throw chatError("chat/prompt-too-long", 413, `The prompt is longer than ${promptChars} characters`);
  }
  return wellFormed(prompt);
}

/** Parses a body that is an object. Throws a KeylessError `chat/...` with this hint. */
export function parseObject(body: Uint8Array, hint: string): Record<string, unknown> {
  const value = parseJson(body, hint);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalidBody("to be an object", hint);
}

function parseJson(body: Uint8Array, hint: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw chatError("chat/not-json", 400, "The body is not JSON in UTF-8", hint);
  }
}

/** Checks an optional field. `null` counts as absent. */
function parseName(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= MAX_NAME_CHARS) return wellFormed(value);
  throw invalidBody(`${field} to be a string, or absent`, PROMPT_HINT);
}

/** Creates the error for a body that lacks something. */
export function invalidBody(requirement: string, hint: string) {
  return chatError("chat/invalid-request", 400, `The body needs ${requirement}`, hint);
}
