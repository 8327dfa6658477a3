// What callers of a token provider are told when they get no token.

import { KeylessError } from "../errors/keyless-error.js";

export function closed(): KeylessError {
  return new KeylessError("token/closed", "The token provider is closed", {
    hint: "Create a new one; close() is for the end of the program.",
  });
}

export function timedOut(afterMs: number, failure: KeylessError | undefined): KeylessError {
  const seconds = Math.max(1, Math.round(afterMs / 1000));
  if (failure) {
    const { message, hint, status } = failure;
    return new KeylessError("token/timeout", `There was no token within ${seconds} s. ${message}`, {
      hint,
      status,
      cause: failure,
    });
  }
  return new KeylessError("token/timeout", `The credential gave no answer within ${seconds} s`, {
    hint: "Outside Azure there is no managed identity to answer: run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure look at the host's identity service.",
  });
}

export function rejectedAgain(): KeylessError {
  return new KeylessError(
    "token/rejected-again",
    "The credential gave the very token that the resource has just rejected",
    {
      hint: "Its age is not what is wrong: check its audience (the scope) and the role of its principal on the resource.",
    },
  );
}

export function challengedAgain(): KeylessError {
  return new KeylessError(
    "token/claims-challenge",
    "The resource asks for other claims although the token was just acquired with those it asked for",
    {
      hint: "A policy of the tenant keeps this program out, such as one on its network location; ask its administrator.",
    },
  );
}

export function claimsIgnored(): KeylessError {
  return new KeylessError(
    "token/claims-challenge",
    "The resource asks for a token with other claims, and the credential gave the same token again",
    {
      hint: "The credential takes no claims, as managed identities do not; a service principal or a workload identity does.",
    },
  );
}

export function superseded(): KeylessError {
  return new KeylessError(
    "token/claims-challenge",
    "Given up for a token with the claims that the resource asks for",
    {
      hint: "Nothing: another acquisition takes its place.",
    },
  );
}
