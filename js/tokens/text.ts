import { KeylessError } from "../errors/keyless-error.js";
import type { AccessToken } from "../wasm/token.js";

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
  const token = fitForHeader(given.token);
  // By name, for an object whose class computes them; advice that is no number is no advice.
  const { refreshAfterTimestamp, ...rest } = given;
  return {
    ...rest,
    token,
    expiresOnTimestamp: given.expiresOnTimestamp,
    ...(typeof refreshAfterTimestamp === "number" ? { refreshAfterTimestamp } : {}),
  };
}

/** The same for the token function of somebody else: a text, or an `AccessToken` where a text is expected. */
export function cleanText(given: unknown): string {
  const text = tokenOf(given);
  if (text !== undefined) return fitForHeader(text);
  throw new KeylessError("token/malformed", "The token function did not give a token", {
    hint: "It must resolve to a text, or to an AccessToken.",
  });
}

/** The text of a token given as such, or in an `AccessToken`. */
export function tokenOf(given: unknown): string | undefined {
  if (typeof given === "string") return given;
  const { token } = (given ?? {}) as { token?: unknown };
  return typeof token === "string" ? token : undefined;
}

/** A token without white space around it and without `Bearer `. */
export function bare(token: string): string {
  return token.trim().replace(/^bearer(\s+|$)/i, "");
}

function fitForHeader(given: string): string {
  const token = bare(given);
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
  return token;
}
