import { chatError } from "../http/problem.js";
import { checkedPrompt, invalidBody } from "../http/request.js";

const HINT = 'Send { "input": "..." }, or messages of the user with parts of type input_text.';

/**
 * The prompt in a request of the Responses API: a text, or the text of the user's messages. Refuses
 * what would be lost: other roles, which the conversation keeps itself, and content that is no text.
 *
 * @throws KeylessError `chat/invalid-request`, `chat/prompt-too-long`
 */
export function promptOf(input: unknown, promptChars: number): string {
  const text = Array.isArray(input) ? input.map(textOfItem).join("\n\n") : input;
  return checkedPrompt(text, "input", promptChars);
}

function textOfItem(item: unknown): string {
  if (typeof item === "string") return item;
  const { type = "message", role = "user", content } = (item ?? {}) as Record<string, unknown>;
  if (type !== "message") throw invalidBody(`input without items of type ${shown(type)}`, HINT);
  if (role !== "user") {
    const hint = "Continue a conversation with previous_response_id or conversation.";
    throw invalidBody(`input without messages of the role ${shown(role)}`, hint);
  }
  return Array.isArray(content) ? content.map(textOfPart).join("") : textOfPart(content);
}

function textOfPart(part: unknown): string {
  if (typeof part === "string") return part;
  const { type, text } = (part ?? {}) as Record<string, unknown>;
  if ((type === "input_text" || type === "text") && typeof text === "string") return text;
  throw invalidBody(`input without content of type ${shown(type)}`, HINT);
}

const shown = (value: unknown): string => String(value).slice(0, 40);

/** Refuses a request that asks for what this server does not do. */
export function checkSupported({ background }: Record<string, unknown>): void {
  if (background !== true) return;
  throw chatError(
    "chat/invalid-request",
    400,
    "This agent answers in the foreground only",
    "Leave out background, and stream long replies.",
  );
}
