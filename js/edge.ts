export {
  createEdgeChatHandler,
  type EdgeChatHandler,
  type EdgeChatOptions,
  type EdgeChatStatus,
} from "./edge/handler.js";
export type { ErrorCode } from "./errors/codes.js";
export { isKeylessError, KeylessError } from "./errors/keyless-error.js";
export type { GatewayAccess } from "./gateway/access-log.js";
export { createEdgeGateway, type EdgeGateway } from "./gateway/edge.js";
export type { EdgeGatewayLimits, EdgeGatewayOptions } from "./gateway/edge-options.js";
export type { CallerFunction } from "./http/caller.js";
export type { ChatLimits, ChatLogEntry, ChatTokenStatus } from "./http/contract.js";
