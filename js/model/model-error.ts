import { KeylessError } from "../errors/keyless-error.js";
import type { Diagnosis, FailedRequest } from "../wasm/types/diagnosis.js";
import { diagnose } from "./diagnose.js";

/**
 * Creates an error for a failed request to the model, with its cause, Azure's message and the
 * fixes.
 */
export function modelError(failure: FailedRequest): KeylessError {
  return diagnosisError(diagnose(failure));
}

/** The errors for which the resource rejected the token. */
const tokenRejections = new WeakSet<KeylessError>();

/**
 * Whether an error says that the resource rejected the token, so that a new token may be accepted.
 */
export function isTokenRejection(error: unknown): boolean {
  return error instanceof KeylessError && tokenRejections.has(error);
}

/** Converts a diagnosis to an error. */
export function diagnosisError(diagnosis: Diagnosis): KeylessError {
  const { code, cause, fixes, status, message, retryAfterMs, retryable, tokenRejected } = diagnosis;
  const source = status === undefined ? "The network's message" : `The response, HTTP ${status}`;
  // A caller may ask for an explanation of a request that was served.
  const name = code === "ok" ? "unknown" : code;
  const error = new KeylessError(`model/${name}`, message ? `${cause} ${source}: ${message}` : cause, {
    status,
    retryAfterMs,
    retryable,
    hint: fixes.join("\n"),
  });
  if (tokenRejected) tokenRejections.add(error);
  return error;
}
