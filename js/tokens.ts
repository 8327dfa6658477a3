/**
 * Tokens only: the provider, a credential that needs no other package, and their types. Needs
 * neither the Copilot SDK nor `@azure/identity`, also to compile.
 *
 * @packageDocumentation
 */

export type { AbortSignalLike, GetTokenOptions, TokenCredential } from "./credentials/credential.js";
export { createDirectCredential, type DirectCredentialOptions } from "./credentials/direct.js";
export type { ErrorCode } from "./errors/codes.js";
export { KeylessError } from "./errors/keyless-error.js";
/** @deprecated Import it from `copilot-keyless/testing`. */
export type { Clock } from "./platform/clock.js";
export { createBearerTokenProvider } from "./tokens/provider.js";
export type { TokenCallOptions, TokenEvent, TokenProvider, TokenProviderOptions } from "./tokens/types.js";
export type { SidecarOptions, TokenSource } from "./wasm/types/identity.js";
export type { AccessToken, ErrorSummary, RefreshPolicy, TokenStatus } from "./wasm/types/token.js";
