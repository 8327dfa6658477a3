import { type Check, checkArgument } from "../errors/check.js";

/** What a health handler needs of a chat handler. */
export interface Observable {
  status(): { healthy: boolean };
}

const CHAT: Check = {
  expected: "a handler of createChatHandler",
  fits: (value) => typeof (value as Partial<Observable>).status === "function",
};

/**
 * Checks a chat handler, and returns a function that reports its state: 200, or 503 if it cannot
 * answer.
 *
 * @throws KeylessError `chat/invalid-option`
 */
export function healthOf(chat: Observable) {
  checkArgument("chat", chat, CHAT, "chat/invalid-option");
  return () => {
    const body = chat.status();
    return { status: body.healthy ? 200 : 503, headers: { "cache-control": "no-store" }, body };
  };
}

/**
 * Creates a handler that reports the state of a chat, of `createChatHandler` or
 * `createEdgeChatHandler`: 200, or 503 if it cannot answer. It shows no token, sends no request and
 * starts nothing: before the first request to the chat, or `warmUp`, `started` is false, and whether
 * a token can be acquired is not known.
 *
 * @throws KeylessError `chat/invalid-option`
 * @example
 * ```ts
 * const health = createHealthHandler(chat);
 * app.get("/health", () => health()); // Hono
 * ```
 */
export function createHealthHandler(chat: Observable): (request?: Request) => Response {
  const health = healthOf(chat);
  return () => {
    const { body, ...init } = health();
    return Response.json(body, init);
  };
}
