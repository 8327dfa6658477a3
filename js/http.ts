/**
 * Answers HTTP requests with streamed replies of the Copilot SDK, on every server for Node: Express,
 * Fastify, Hono, Next.js, plain `node:http`.
 *
 * @packageDocumentation
 */

export { type ChatHandler, type ChatHandlerOptions, createChatHandler } from "./chat/handler.js";
export { createHealthHandler, type Observable } from "./chat/health.js";
export { type NodeListener, toNodeListener } from "./chat/node-listener.js";
export type { ChatModel, ServiceLimits } from "./chat/options.js";
export type { CloseOptions } from "./chat/service.js";
export type { ChatStatus } from "./chat/worker.js";
export type { ErrorCode } from "./errors/codes.js";
export { KeylessError } from "./errors/keyless-error.js";
export type { CallerFunction } from "./http/caller.js";
export type {
  ChatEvent,
  ChatLimits,
  ChatLogEntry,
  ChatRequest,
  ChatResult,
  ChatTokenStatus,
} from "./http/contract.js";
