/**
 * Azure Functions (JavaScript, programming model v4): an HTTP handler that answers with a streamed reply of the Copilot SDK.
 *
 * @packageDocumentation
 */
export type { CallerFunction } from "../chat/caller.js";
export type { ChatEvent, ChatLimits, ChatRequest, ChatResult, ChatTokenStatus } from "../chat/contract.js";
export { type ChatHandler, createChatHandler } from "./handler.js";
export { createHealthHandler } from "./health.js";
export type { ChatHandlerOptions, ChatModel, FunctionsLimits } from "./options.js";
export type { ChatStatus } from "./worker.js";
