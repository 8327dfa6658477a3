/**
 * Keeps conversations in Azure Blob Storage, so that several instances can serve them. Needs
 * `@azure/storage-blob`.
 *
 * @packageDocumentation
 */

export { type BlobConversations, blobConversations } from "./blob-sessions/conversations.js";
export type { BlobConversationsOptions } from "./blob-sessions/options.js";
export type { ConversationStore, StoredTurn } from "./copilot/conversation-store.js";
export type { TokenCredential } from "./credentials/credential.js";
export type { ErrorCode } from "./errors/codes.js";
export { KeylessError } from "./errors/keyless-error.js";
