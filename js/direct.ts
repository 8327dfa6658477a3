export { createDirectCredential, type DirectCredentialOptions } from "./credentials/direct.js";
export type { DiagnosisCode, ErrorCode } from "./errors/codes.js";
export { KeylessError } from "./errors/keyless-error.js";
export { type ProbeOptions, probe } from "./model/probe.js";
export { type StreamChatOptions, streamChat } from "./model/stream-chat.js";
export type { Diagnosis } from "./wasm/diagnosis.js";
export type { TokenSource } from "./wasm/identity.js";
export type { Endpoint, Notice } from "./wasm/provider.js";
export type { AccessToken } from "./wasm/token.js";
