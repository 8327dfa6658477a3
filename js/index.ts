export { FoundryAgent, ManagedIdentityCopilotAgent } from "./copilot/agent.js";
export {
  type ClaimsChallengeHandlerOptions,
  createClaimsChallengeHandler,
} from "./copilot/claims-challenge.js";
export type {
  CloseOptions,
  Conversation,
  ConversationOptions,
  ReplyStream,
} from "./copilot/conversation.js";
export type { AgentOptions } from "./copilot/options.js";
export type { TurnReply, TurnUsage } from "./copilot/reply.js";
export type { AgentPreset, SystemMessage } from "./copilot/session-config.js";
export type { ChatOptions } from "./copilot/turn-options.js";
export * from "./core.js";
export type { AbortSignalLike, GetTokenOptions, TokenCredential } from "./credentials/credential.js";
export type { FoundryProviderOptions } from "./foundry/options.js";
export { createFoundryProvider, type FoundryProvider } from "./foundry/provider.js";
export {
  createFoundryProviders,
  type FoundryProviders,
  type NamedFoundryModel,
  type NamedFoundryProvider,
} from "./foundry/providers.js";
export type { ModelCallFailure } from "./foundry/session-attachments.js";
/** @deprecated Import it from `copilot-keyless/testing`. */
export type { Clock } from "./platform/clock.js";
export { createBearerTokenProvider } from "./tokens/provider.js";
export type { TokenCallOptions, TokenEvent, TokenProvider, TokenProviderOptions } from "./tokens/types.js";
export type { CredentialPlan } from "./wasm/types/provider.js";
export type { ErrorSummary, RefreshPolicy, TokenStatus } from "./wasm/types/token.js";
