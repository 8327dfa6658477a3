import type { HttpHandler } from "@azure/functions";
import { type Check, checkArgument } from "../errors/check.js";
import type { ChatHandler } from "./handler.js";

const CHAT: Check = {
  expected: "what createChatHandler gives",
  fits: (value) => typeof (value as Partial<ChatHandler>).status === "function",
};

/**
 * A handler that reports how a chat stands: 200, or 503 where it cannot answer. It shows no token, asks nothing of anybody, and
 * starts nothing: before the first request to the chat `started` is false, and whether a token can be had is not known.
 *
 * @throws KeylessError `chat/invalid-option`
 * @example
 * ```ts
 * app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat) });
 * ```
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
