import { KeylessError } from "../errors/keyless-error.js";
import type { Diagnosis, FailedRequest } from "../wasm/diagnosis.js";
import { diagnose } from "./diagnose.js";

/** A request to the model that failed, as an error: what it is, Azure's own words, and what mends it. */
export function modelError(failure: FailedRequest): KeylessError {
  return diagnosedError(diagnose(failure));
}

/** Errors that say that the resource rejected the token: another one may be taken. */
const rejecting = new WeakSet<KeylessError>();

/** Whether the resource rejected the token, which another one may mend. */
export function rejectsToken(error: unknown): boolean {
  return error instanceof KeylessError && rejecting.has(error);
}

/** A diagnosis as an error. */
export function diagnosedError(diagnosis: Diagnosis): KeylessError {
  const { code, cause, fixes, status, message, retryAfterMs, tokenRejected } = diagnosis;
  const answered = status === undefined ? "The network's words" : `The answer, HTTP ${status}`;
  // A caller may pass a request that was served to a function that explains failures.
  const name = code === "ok" ? "unknown" : code;
  const error = new KeylessError(`model/${name}`, message ? `${cause} ${answered}: ${message}` : cause, {
    status,
    retryAfterMs,
    hint: fixes.join("\n"),
  });
  if (tokenRejected) rejecting.add(error);
  return error;
}
