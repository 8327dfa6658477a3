import { diagnose } from "./core.js";
import { KeylessError } from "./errors.js";
import type { Diagnosis, FailedRequest } from "./types.js";

/** A request to the model that failed, as an error: what it is, Azure's own words, and what mends it. */
export function modelError(failure: FailedRequest): KeylessError {
  return diagnosedError(diagnose(failure));
}

/** A diagnosis as an error. */
export function diagnosedError({
  code,
  cause,
  fixes,
  status,
  message,
  retryAfterMs,
}: Diagnosis): KeylessError {
  const answered = status === undefined ? "The network's words" : `The answer, HTTP ${status}`;
  return new KeylessError(`model/${code}`, message ? `${cause} ${answered}: ${message}` : cause, {
    status,
    retryAfterMs,
    hint: fixes.join("\n"),
  });
}
