import { credentialFailure } from "../credentials/failure.js";
import { KeylessError } from "../errors/keyless-error.js";
import { systemClock } from "../platform/clock.js";
import { rejectedTokenFromCache, renewalLeft } from "../tokens/provider.js";
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

/** The tokens for one resource. A token is undefined for an endpoint without a known scope. */
export class ResourceTokens {
  readonly #source: TokenSource;
  #accepted: string | undefined;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** Acquires the token for a request. */
  async acquire(): Promise<string | undefined> {
    const { config, tokens } = this.#source;
    try {
      return await config.bearerTokenProvider?.(CALL);
    } catch (error) {
      const token = tokens && rejectedTokenFromCache(tokens, error);
      if (token === undefined) throw asKeyless(error);
      return token;
    }
  }

  /** Notes that the resource has accepted a token. */
  accept(token: string | undefined): void {
    this.#accepted = token;
  }

  /**
   * Acquires another token after the resource rejected this one. Many calls at once cost one
   * acquisition, because only the first of them finds the token still in use. Rejects with a
   * retryable error if it is too soon for another one, and the resource had accepted this one: it
   * was revoked.
   */
  async renew(rejected: string | undefined, claims: string | undefined): Promise<string | undefined> {
    const { tokens } = this.#source;
    const leftMs = tokens ? renewalLeft(tokens, claims !== undefined) : 0;
    const isTooSoon = leftMs > 0 && rejected !== undefined && rejected === this.#accepted;
    try {
      const token = await this.#renewed(rejected, claims);
      if (!isTooSoon || token !== rejected) return token;
    } catch (error) {
      if (!isTooSoon || (error as Partial<KeylessError>).code !== "token/claims-challenge")
        throw asKeyless(error);
    }
    throw revokedAgain(leftMs);
  }

  async #renewed(rejected: string | undefined, claims: string | undefined): Promise<string | undefined> {
    const { tokens } = this.#source;
    if (claims !== undefined && typeof tokens?.getToken === "function") {
      const call = { claims, ...(rejected === undefined ? {} : { rejectedToken: rejected }) };
      return (await tokens.getToken(call)).token;
    }
    // A token function of the program may have no such method.
    tokens?.invalidate?.(rejected);
    // Where there is no other token, the second answer explains this one.
    return this.acquire();
  }
}

function revokedAgain(retryAfterMs: number): KeylessError {
  return new KeylessError(
    "model/token-invalid",
    "The token was revoked, and it is too soon after the last one for another",
    {
      hint: "Try again after the time in Retry-After. The policy's invalidateIntervalMs sets how often a token is acquired because the resource rejects one.",
      status: 401,
      retryable: true,
      retryAfterMs: Math.ceil(retryAfterMs),
    },
  );
}

function asKeyless(error: unknown): KeylessError {
  return credentialFailure(error, systemClock.now()).error;
}
