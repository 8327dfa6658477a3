import { callCore, planModule } from "../wasm/bindings.js";
import type { Diagnosis, FailedRequest, RoleAssignment } from "../wasm/diagnosis.js";
import type { AccessToken } from "../wasm/token.js";
import { diagnosed, plainFailure } from "./diagnosed.js";

/**
 * Why a request to a model failed, in Azure's terms, and what mends it: from the status, the body, the headers, and the claims
 * of the token that was sent. Neither the token nor a secret appears in the result.
 *
 * @throws KeylessError `diagnosis/invalid` when `status` is no HTTP status
 * @example
 * ```ts
 * const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
 * const { status, headers } = response;
 * const { code, cause, fixes } = diagnose({ endpoint: url, status, headers, body: await response.text(), token });
 * // "missing-role", "The managed identity ... has no role ...", ["Assign the role ...\naz role assignment create ..."]
 * ```
 */
export function diagnose(failure: FailedRequest): Diagnosis {
  return diagnosed(failure, (plan, plain) => plan.diagnose(plain));
}

/**
 * What is wrong with a token by its own claims, before it is sent anywhere: expired, not valid yet, or for another audience than
 * the endpoint's. Undefined where nothing is known to be wrong; the resource may still refuse it.
 *
 * @example
 * ```ts
 * checkToken({ endpoint: "myres.openai.azure.com", token })?.code; // "wrong-audience"
 * ```
 */
export function checkToken(
  attempt: Pick<FailedRequest, "endpoint" | "now"> & { token: string | AccessToken },
): Diagnosis | undefined {
  return callCore(() => planModule().checkToken(plainFailure(attempt, ["endpoint", "now", "token"])));
}

/**
 * The role that the principal of a token needs at an endpoint, and the command that assigns it.
 *
 * @example
 * ```ts
 * roleAssignment({ endpoint: "myres.openai.azure.com" }).role; // "Cognitive Services OpenAI User"
 * ```
 */
export function roleAssignment(attempt: Pick<FailedRequest, "endpoint" | "token">): RoleAssignment {
  return callCore(() => planModule().roleAssignment(plainFailure(attempt, ["endpoint", "token"])));
}
