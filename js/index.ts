export { type AgentOptions, ManagedIdentityCopilotAgent } from "./copilot/agent.js";
export {
  type ClaimsChallengeHandlerOptions,
  createClaimsChallengeHandler,
} from "./copilot/claims-challenge.js";
export type { ChatOptions, Conversation } from "./copilot/conversation.js";
export * from "./core.js";
export {
  createFoundryProvider,
  type FoundryProvider,
  type FoundryProviderOptions,
  type ModelCallFailure,
} from "./foundry/provider.js";
export {
  createFoundryProviders,
  type FoundryProviders,
  type NamedFoundryModel,
  type NamedFoundryProvider,
} from "./foundry/providers.js";
export { createBearerTokenProvider } from "./tokens/provider.js";
export type {
  AbortSignalLike,
  Clock,
  CredentialPlan,
  ErrorSummary,
  GetTokenOptions,
  RefreshPolicy,
  TokenCallOptions,
  TokenCredential,
  TokenEvent,
  TokenProvider,
  TokenProviderOptions,
  TokenStatus,
} from "./types.js";
