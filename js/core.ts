export type { DiagnosisCode, ErrorCode } from "./errors/codes.js";
export { KeylessError } from "./errors/keyless-error.js";
export { type EndpointOptions, parseEndpoint, planProvider } from "./foundry/plan.js";
export { checkToken, diagnose, roleAssignment } from "./model/diagnose.js";
export { decodeToken, parseChallenge, parseTokenResponse } from "./tokens/read.js";
export { simulateRefresh } from "./tokens/simulate.js";
export type { Diagnosis, FailedRequest, RoleAssignment } from "./wasm/diagnosis.js";
export type {
  CredentialPlan,
  Endpoint,
  ModelOptions,
  Notice,
  PlannedConfig,
  ProviderPlan,
  ProviderRequest,
} from "./wasm/provider.js";
export type { RefreshScenario, RefreshTimeline } from "./wasm/simulation.js";
export type { AccessToken, Challenge, TokenDescription } from "./wasm/token.js";
