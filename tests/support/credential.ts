import type { AbortSignalLike, AccessToken, GetTokenOptions, TokenCredential } from "copilot-keyless";
import type { FakeClock } from "copilot-keyless/testing";

/** A call of a credential, and the functions that settle it if it hangs. */
export interface Call {
  scopes: string | string[];
  options: GetTokenOptions & { abortSignal: AbortSignalLike };
  resolve(token: unknown): void;
  reject(error: unknown): void;
}

/** A scripted credential that records its calls. */
export class FakeCredential implements TokenCredential {
  readonly calls: Call[] = [];
  /** Returns the outcome of the nth call, from 1: a token, an Error to reject with, or "hang". */
  answer: (n: number) => unknown;

  constructor(answer: (n: number) => unknown) {
    this.answer = answer;
  }

  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
    return new Promise((resolve, reject) => {
      this.calls.push({
        scopes,
        options: options as Call["options"],
        resolve: resolve as Call["resolve"],
        reject,
      });
      const answer = this.answer(this.calls.length);
      if (answer instanceof Error) reject(answer);
      else if (answer !== "hang") resolve(answer as AccessToken | null);
    });
  }

  /** The nth call, counted from 1. */
  call(n: number): Call {
    const call = this.calls[n - 1];
    if (call === undefined) throw new Error(`The credential was asked ${this.calls.length} times, not ${n}`);
    return call;
  }
}

/** Returns a token with a number in it that expires after `livesMs`. */
export function token(n: number, clock: FakeClock, livesMs: number): AccessToken {
  return { token: `token-${n}`, expiresOnTimestamp: clock.now() + livesMs };
}

/** A credential that returns a new token for each call. */
export function healthy(clock: FakeClock, livesMs = 3_600_000): FakeCredential {
  return new FakeCredential((n) => token(n, clock, livesMs));
}

/** The error of an identity endpoint, as `@azure/identity` throws it. */
export function httpError(statusCode: number, headers: Record<string, string> = {}): Error {
  return Object.assign(new Error(`HTTP ${statusCode}`), {
    name: "RestError",
    statusCode,
    response: { headers: new Headers(headers) },
  });
}

/** The error of a credential that is unavailable. */
export function unavailable(): Error {
  return Object.assign(new Error("ManagedIdentityCredential is unavailable"), {
    name: "CredentialUnavailableError",
  });
}

/** Returns the error that a promise rejects with. */
export async function failure(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; hint?: string; status?: number }> {
  return promise.then(
    (value) => {
      throw new Error(`Not rejected: ${String(value)}`);
    },
    (error) => error,
  );
}
