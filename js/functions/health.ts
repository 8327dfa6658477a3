import type { HttpHandler } from "@azure/functions";
import { healthOf } from "../chat/health.js";
import type { ChatHandler } from "./handler.js";

/**
 * Creates a handler that reports the state of a chat: 200, or 503 if it cannot answer. It shows no
 * token, sends no request and starts nothing: before the first request to the chat, or `warmUp`,
 * `started` is false, and whether a token can be acquired is not known.
 *
 * @throws KeylessError `chat/invalid-option`
 * @example
 * ```ts
 * app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat)
 * }); ```
 */
export function createHealthHandler(chat: Pick<ChatHandler, "status">): HttpHandler {
  const health = healthOf(chat);
  return () => {
    const { body, ...init } = health();
    return { ...init, jsonBody: body };
  };
}
