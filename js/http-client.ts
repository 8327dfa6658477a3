/**
 * Asks a chat handler from a browser, or from anywhere with `fetch`, and streams the reply.
 *
 * @packageDocumentation
 */

export {
  ChatError,
  type ChatReply,
  type ChatReplyEvent,
  type SendChatOptions,
  sendChat,
} from "./client/send-chat.js";
export type { ChatEvent, ChatRequest } from "./http/contract.js";
