/**
 * Answers HTTP requests in Azure Functions (JavaScript, programming model v4) with streamed replies
 * of the Copilot SDK.
 *
 * @packageDocumentation
 */

export type { ChatModel, ServiceLimits as FunctionsLimits } from "./chat/options.js";
export type { CloseOptions } from "./chat/service.js";
export type { ChatStatus } from "./chat/worker.js";
export { type ChatHandler, createChatHandler } from "./functions/handler.js";
export { createHealthHandler } from "./functions/health.js";
export type { ChatHandlerOptions } from "./functions/options.js";
export type { CallerFunction } from "./http/caller.js";
export type { ChatEvent, ChatLimits, ChatRequest, ChatResult, ChatTokenStatus } from "./http/contract.js";
