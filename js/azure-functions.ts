/**
 * Answers HTTP requests in Azure Functions (JavaScript, programming model v4) with streamed replies
 * of the Copilot SDK.
 *
 * @packageDocumentation
 */

export { type ChatHandler, createChatHandler } from "./functions/handler.js";
export { createHealthHandler } from "./functions/health.js";
export type { ChatHandlerOptions, ChatModel, FunctionsLimits } from "./functions/options.js";
export type { ChatStatus } from "./functions/worker.js";
export type { CallerFunction } from "./http/caller.js";
export type { ChatEvent, ChatLimits, ChatRequest, ChatResult, ChatTokenStatus } from "./http/contract.js";
