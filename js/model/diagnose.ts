import { callCore } from "../wasm/bindings.js";
import { explainModule } from "../wasm/explain-bindings.js";
import type { Diagnosis, FailedRequest, RoleAssignment } from "../wasm/types/diagnosis.js";
import type { AccessToken } from "../wasm/types/token.js";
import { plainFailure, runDiagnosis } from "./run-diagnosis.js";

/**
 * Explains why a request to a model failed, in Azure's terms, and how to fix it. Uses the status,
 * the body, the headers, and the claims of the token that was sent. The result holds neither the
 * token nor a secret.
 *
 * @throws KeylessError `diagnosis/invalid` if `status` is no HTTP status
 * @example
 * ```ts
 * const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
 * const { status, headers } = response;
 * const { code, cause, fixes } = diagnose({ endpoint: url, status, headers, body: await response.text(), token });
 * // "missing-role", "The managed identity ... has no role ...", ["Assign the role ...\naz role assignment create ..."]
 * ```
 */
export function diagnose(failure: FailedRequest): Diagnosis {
  return runDiagnosis(failure, (explain, plain) => explain.diagnose(plain));
}

/**
 * Checks the claims of a token before it is sent: whether it has expired, is not valid yet, or has
 * another audience than the endpoint's. Returns undefined if it finds no problem; the resource may
 * still reject the token.
 *
 * @example
 * ```ts
 * checkToken({ endpoint: "myres.openai.azure.com", token })?.code; // "wrong-audience"
 * ```
 */
export function checkToken(
  attempt: Pick<FailedRequest, "endpoint" | "now"> & { token: string | AccessToken },
): Diagnosis | undefined {
  return callCore(() => explainModule().checkToken(plainFailure(attempt, ["endpoint", "now", "token"])));
}

/**
 * Returns the role that the principal of a token needs at an endpoint, and the command that assigns
 * it.
 *
 * @example
 * ```ts
 * roleAssignment({ endpoint: "myres.openai.azure.com" }).role; // "Cognitive Services OpenAI User"
 * ```
 */
export function roleAssignment(attempt: Pick<FailedRequest, "endpoint" | "token">): RoleAssignment {
  return callCore(() => explainModule().roleAssignment(plainFailure(attempt, ["endpoint", "token"])));
}
