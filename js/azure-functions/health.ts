import type { HttpHandler } from "@azure/functions";
import { invalid } from "../chat/limits.js";
import type { ChatHandler } from "./handler.js";

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
  if (typeof chat?.status !== "function") throw invalid("chat must be what createChatHandler gives");
  return () => {
    const status = chat.status();
    return {
      status: status.healthy ? 200 : 503,
      headers: { "cache-control": "no-store" },
      jsonBody: status,
    };
  };
}
