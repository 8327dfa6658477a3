export { diagnoseCredential } from "./credentials/diagnose.js";
export type { CredentialDiagnosisCode, DiagnosisCode, ErrorCode } from "./errors/codes.js";
export { isKeylessError, KeylessError } from "./errors/keyless-error.js";
export { type EndpointOptions, parseEndpoint, planProvider } from "./foundry/plan.js";
export { checkToken, diagnose, roleAssignment } from "./model/diagnose.js";
export { decodeToken, parseChallenge, parseTokenResponse } from "./tokens/parse.js";
export { simulateRefresh } from "./tokens/simulate.js";
export type {
  CredentialDiagnosis,
  CredentialLink,
  FailedCredential,
} from "./wasm/types/credential-diagnosis.js";
export type { Diagnosis, FailedRequest, RateLimit, RoleAssignment } from "./wasm/types/diagnosis.js";
export type {
  CredentialPlan,
  Endpoint,
  ModelOptions,
  Notice,
  PlannedConfig,
  ProviderPlan,
  ProviderRequest,
} from "./wasm/types/provider.js";
export type { RefreshScenario, RefreshTimeline } from "./wasm/types/simulation.js";
export type { AccessToken, Challenge, TokenDescription } from "./wasm/types/token.js";
