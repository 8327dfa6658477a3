// Errors that callers of a token provider receive when they get no token.

import { KeylessError, withRetryAfter } from "../errors/keyless-error.js";

export function closedError(): KeylessError {
  return new KeylessError("token/closed", "The token provider is closed", {
    hint: "Create a new one. Call close() only when the program ends.",
  });
}

/** The errors of turns that should not ask again. */
const ofEndedTurns = new WeakSet<KeylessError>();

/** Copies an error for a turn that ends with it: others may share the error. */
export function endOfTurn(error: KeylessError): KeylessError {
  if (isEndOfTurn(error)) return error;
  const copy = withRetryAfter(error, error.retryAfterMs);
  ofEndedTurns.add(copy);
  return copy;
}

/** Whether the turn that received this error ends. */
export function isEndOfTurn(error: KeylessError): boolean {
  return ofEndedTurns.has(error);
}

/**
 * Creates the error of a wait that reached its deadline. It has the code of the last failure, so that
 * an outage has the same code however long callers wait.
 */
export function timeoutError(afterMs: number, failure: KeylessError | undefined): KeylessError {
  const seconds = Math.max(1, Math.round(afterMs / 1000));
  return failure
    ? new KeylessError(failure.code, `No token within ${seconds} s. ${failure.message}`, {
        hint: failure.hint,
        status: failure.status,
        retryable: failure.retryable,
        retryAfterMs: failure.retryAfterMs,
        cause: failure,
      })
    : new KeylessError("token/timeout", `The credential did not answer within ${seconds} s`, {
        hint: "Outside Azure no managed identity answers: run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure check the host's identity service.",
      });
}

/** Adds the pause until the next acquisition, if there is one and a retry may help. */
export function withPause(error: KeylessError, pauseMs: number): KeylessError {
  if (!error.retryable || pauseMs <= 0 || error.retryAfterMs === pauseMs) return error;
  return withRetryAfter(error, pauseMs);
}

export function rejectedAgainError(): KeylessError {
  return new KeylessError(
    "token/rejected-again",
    "The credential returned the same token that the resource just rejected",
    {
      hint: "Azure's platform returns a managed identity's token for about a day, even a revoked one. If it was not revoked, check its audience (the scope) and the role of its principal on the resource.",
    },
  );
}

export function challengedAgainError(): KeylessError {
  return new KeylessError(
    "token/claims-challenge",
    "The resource asks for more claims, although the token was just acquired with those it asked for",
    {
      hint: "A policy of the tenant blocks this program, such as one on its network location. Ask the tenant's administrator.",
    },
  );
}

export function claimsIgnoredError(): KeylessError {
  return new KeylessError(
    "token/claims-challenge",
    "The resource asks for a token with more claims, and the credential returned the same token again",
    {
      hint: "The credential ignores claims, as managed identities do, and Azure's platform returns their token for about a day. Use a service principal or a workload identity.",
    },
  );
}

export function supersededError(): KeylessError {
  return new KeylessError(
    "token/claims-challenge",
    "Superseded by an acquisition with the claims that the resource asks for",
    {
      hint: "Nothing to do: the other acquisition replaces this one.",
    },
  );
}
