import type { HttpHandler } from "@azure/functions";
import type { ChatHandler } from "./handler.js";

/**
 * A handler that reports how a chat stands: 200, or 503 where it cannot answer. It shows no token, asks for none, and
 * starts no runtime.
 *
 * @example
 * ```ts
 * app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat) });
 * ```
 */
export function createHealthHandler(chat: Pick<ChatHandler, "status">): HttpHandler {
  return () => {
    const status = chat.status();
    return {
      status: status.healthy ? 200 : 503,
      headers: { "cache-control": "no-store" },
      jsonBody: status,
    };
  };
}
