import type { HttpHandler } from "@azure/functions";
import { type Check, checkArgument } from "../errors/check.js";
import type { ChatHandler } from "./handler.js";

const CHAT: Check = {
  expected: "a handler of createChatHandler",
  fits: (value) => typeof (value as Partial<ChatHandler>).status === "function",
};

/**
 * Creates a handler that reports the state of a chat: 200, or 503 if it cannot answer. It shows no
 * token, sends no request and starts nothing: before the first request to the chat `started` is
 * false, and whether a token can be acquired is not known.
 *
 * @throws KeylessError `chat/invalid-option`
 * @example
 * ```ts
 * app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat)
 * }); ```
 */
export function createHealthHandler(chat: Pick<ChatHandler, "status">): HttpHandler {
  checkArgument("chat", chat, CHAT, "chat/invalid-option");
  return () => {
    const status = chat.status();
    return {
      status: status.healthy ? 200 : 503,
      headers: { "cache-control": "no-store" },
      jsonBody: status,
    };
  };
}
