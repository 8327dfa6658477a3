import { KeylessError } from "../errors/keyless-error.js";
import type { AccessToken } from "../wasm/types/token.js";

/** The characters that a token may consist of and a header can carry. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * Checks the result of a credential and makes it fit for an `Authorization` header: removes
 * `Bearer `, and rejects characters that no header can carry. The Copilot runtime would write such
 * a token to disk, in its own error.
 *
 * @throws KeylessError `token/empty`, `token/malformed`
 */
export function cleanToken(result: AccessToken | null | undefined): AccessToken {
  if (result === null || result === undefined) {
    throw new KeylessError("token/empty", "The credential returned no token", {
      hint: "It is not available here. Run `az login`, or assign a managed identity to this host.",
    });
  }
  if (
    typeof result !== "object" ||
    typeof result.token !== "string" ||
    typeof result.expiresOnTimestamp !== "number"
  ) {
    throw new KeylessError("token/malformed", "The credential did not return an AccessToken", {
      hint: "getToken() must resolve to { token, expiresOnTimestamp }, a string and a number of milliseconds since 1970, as the credentials of @azure/identity do.",
    });
  }
  const token = fitForHeader(result.token);
  // Copied by name, because a class may compute them. A refresh time that is no number is dropped.
  const { refreshAfterTimestamp, ...rest } = result;
  return {
    ...rest,
    token,
    expiresOnTimestamp: result.expiresOnTimestamp,
    ...(typeof refreshAfterTimestamp === "number" ? { refreshAfterTimestamp } : {}),
  };
}

/**
 * Does the same for a caller's token function, which may return a string or an `AccessToken`.
 *
 * @throws KeylessError `token/empty`, `token/malformed`
 */
export function cleanText(result: unknown): string {
  const text = tokenOf(result);
  if (text !== undefined) return fitForHeader(text);
  throw new KeylessError("token/malformed", "The token function did not return a token", {
    hint: "It must resolve to a string or to an AccessToken.",
  });
}

/** Returns the text of a token, which is a string or an `AccessToken`. */
export function tokenOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const { token } = (value ?? {}) as { token?: unknown };
  return typeof token === "string" ? token : undefined;
}

/** Removes `Bearer ` and surrounding white space from a token. */
export function withoutBearer(token: string): string {
  return token.trim().replace(/^bearer(\s+|$)/i, "");
}

function fitForHeader(text: string): string {
  const token = withoutBearer(text);
  if (token === "") {
    throw new KeylessError("token/empty", "The credential returned an empty token", {
      hint: "Check the credential: a request with an empty token carries no token at all.",
    });
  }
  if (!VISIBLE_ASCII.test(token)) {
    throw new KeylessError("token/malformed", "The token contains characters that no HTTP header can carry", {
      hint: "Look for a line break or a quotation mark where the token is read, such as from a file.",
    });
  }
  return token;
}
