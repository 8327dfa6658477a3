export { createDirectCredential, type DirectCredentialOptions } from "./credentials/direct.js";
export type { DiagnosisCode, ErrorCode } from "./errors/codes.js";
export { isKeylessError, KeylessError } from "./errors/keyless-error.js";
export { type ProbeOptions, probe } from "./model/probe.js";
export { type StreamChatOptions, streamChat } from "./model/stream-chat.js";
export type { Diagnosis } from "./wasm/types/diagnosis.js";
export type { SidecarOptions, TokenSource } from "./wasm/types/identity.js";
export type { Endpoint, Notice } from "./wasm/types/provider.js";
export type { AccessToken } from "./wasm/types/token.js";
