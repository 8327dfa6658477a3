import { KeylessError } from "./errors.js";
import type { AccessToken } from "./types.js";

/** Characters that a header can carry and a token can be made of. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * What a credential gave, made fit for an `Authorization` header: `Bearer ` is taken off; what no header can carry is refused
 * here, because the Copilot runtime would write it to disk in its own error.
 */
export function cleanToken(given: AccessToken | null | undefined): AccessToken {
  if (given === null || given === undefined) {
    throw new KeylessError("token/empty", "The credential gave no token", {
      hint: "It is not available here. Run `az login`, or assign a managed identity to this host.",
    });
  }
  if (
    typeof given !== "object" ||
    typeof given.token !== "string" ||
    typeof given.expiresOnTimestamp !== "number"
  ) {
    throw new KeylessError("token/malformed", "The credential did not give an AccessToken", {
      hint: "getToken() must resolve to { token, expiresOnTimestamp }, a text and a number of milliseconds since 1970, as the credentials of @azure/identity do.",
    });
  }
  const token = bare(given.token);
  if (token === "") {
    throw new KeylessError("token/empty", "The credential gave an empty token", {
      hint: "Check the credential; an empty token would be sent as no token at all.",
    });
  }
  if (!VISIBLE_ASCII.test(token)) {
    throw new KeylessError("token/malformed", "The token holds characters that no HTTP header can carry", {
      hint: "Look for a line break or a quotation mark where the token is read, such as from a file.",
    });
  }
  // By name, for an object whose class computes them; advice that is no number is no advice.
  const { refreshAfterTimestamp, ...rest } = given;
  return {
    ...rest,
    token,
    expiresOnTimestamp: given.expiresOnTimestamp,
    ...(typeof refreshAfterTimestamp === "number" ? { refreshAfterTimestamp } : {}),
  };
}

/** A token without white space around it and without `Bearer `. */
export function bare(token: string): string {
  return token.trim().replace(/^bearer(\s+|$)/i, "");
}
