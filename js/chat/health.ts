import { type Check, checkArgument } from "../errors/check.js";
import type { ChatStatus } from "./worker.js";

/** What a health handler needs of a chat handler. */
interface Chat {
  status(): ChatStatus;
}

const CHAT: Check = {
  expected: "a handler of createChatHandler",
  fits: (value) => typeof (value as Partial<Chat>).status === "function",
};

/** The answer of a health handler: 200, or 503 if the chat cannot answer. */
export function healthOf(chat: Chat): { status: 200 | 503; body: ChatStatus } {
  const body = chat.status();
  return { status: body.healthy ? 200 : 503, body };
}

/** Checks the argument of a health handler. */
export function checkChat(chat: unknown): void {
  checkArgument("chat", chat, CHAT, "chat/invalid-option");
}

/**
 * Creates a handler that reports the state of a chat: 200, or 503 if it cannot answer. It shows no
 * token, sends no request and starts nothing.
 *
 * @throws KeylessError `chat/invalid-option`
 * @example
 * ```ts
 * const health = createHealthHandler(chat);
 * app.get("/health", () => health());
 * ```
 */
export function createHealthHandler(chat: Chat): (request?: Request) => Response {
  checkChat(chat);
  return () => {
    const { status, body } = healthOf(chat);
    return Response.json(body, { status, headers: { "cache-control": "no-store" } });
  };
}
