/**
 * Asks a chat handler from a browser, or from anywhere with `fetch`, and streams the reply.
 *
 * @packageDocumentation
 */

export {
  ChatError,
  type ChatReply,
  type ChatReplyEvent,
  type StreamChatOptions,
  streamChat,
} from "./client/stream-chat.js";
export type { ChatEvent, ChatRequest } from "./http/contract.js";
