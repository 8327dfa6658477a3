import { credentialFailure } from "../credentials/failure.js";
import { KeylessError } from "../errors/keyless-error.js";
import { systemClock } from "../platform/clock.js";
import { rejectedTokenFromCache } from "../tokens/provider.js";
import type { TokenProvider } from "../tokens/types.js";

/** Where tokens come from: a `FoundryProvider`, or what an edge gateway has of one. */
export interface TokenSource {
  readonly config: {
    readonly bearerTokenProvider?: ((call: typeof CALL) => Promise<string>) | undefined;
  };
  readonly tokens: TokenProvider | undefined;
}

/** Requests of a gateway belong to no session. */
const CALL = { providerName: "gateway", sessionId: "" };

/**
 * Acquires the token for a request; undefined for an endpoint without a known scope, which gets
 * none.
 */
export async function acquireToken({ config, tokens }: TokenSource): Promise<string | undefined> {
  try {
    return await config.bearerTokenProvider?.(CALL);
  } catch (error) {
    // A credential with its own cache may have no other token, and the role may be there by now.
    const isRejected = error instanceof KeylessError && error.code === "token/rejected-again";
    const token = isRejected && tokens ? rejectedTokenFromCache(tokens) : undefined;
    if (token === undefined) throw asKeyless(error);
    return token;
  }
}

/**
 * Acquires another token after the resource rejected this one. Many calls at once cost one
 * acquisition, because only the first of them finds the token still in use.
 */
export async function renewToken(
  { config, tokens }: TokenSource,
  rejectedToken: string | undefined,
  claims: string | undefined,
): Promise<string | undefined> {
  try {
    if (claims !== undefined && typeof tokens?.getToken === "function") {
      const call = { claims, ...(rejectedToken === undefined ? {} : { rejectedToken }) };
      return (await tokens.getToken(call)).token;
    }
    // A token function of the program may have no such method.
    tokens?.invalidate?.(rejectedToken);
    return await config.bearerTokenProvider?.(CALL);
  } catch (error) {
    throw asKeyless(error);
  }
}

function asKeyless(error: unknown): KeylessError {
  return credentialFailure(error, systemClock.now()).error;
}
