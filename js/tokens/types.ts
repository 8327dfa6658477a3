import type { AbortSignalLike } from "../credentials/credential.js";
import type { Clock } from "../platform/clock.js";
import type { AccessToken, ErrorSummary, RefreshPolicy, TokenStatus } from "../wasm/token.js";

/** What happened to a token. `at` is in epoch milliseconds. No event holds a token or a secret. */
export type TokenEvent = { at: number; scope: string } & (
  | { type: "refresh-started"; background: boolean; attempt: number }
  | { type: "refresh-succeeded"; expiresOn: number; durationMs: number }
  | { type: "refresh-unchanged"; nextAttemptOn?: number }
  | { type: "refresh-failed"; error: ErrorSummary; willRetryInMs?: number; nextAttemptOn?: number }
  | { type: "refresh-abandoned"; error: ErrorSummary }
  | { type: "stale-served"; expiresOn: number; consecutiveFailures: number }
  | { type: "invalidated" }
  | { type: "challenged" }
  | { type: "closed" }
);

/** Options of {@link createBearerTokenProvider}. */
export interface TokenProviderOptions {
  /** Overrides of the refresh policy; each value is checked. */
  policy?: Partial<RefreshPolicy>;
  /** @deprecated Use `withClock(clock, options)` of `copilot-keyless/testing`. */
  clock?: Clock;
  /** Told of everything that happens to the token. What it throws is ignored. */
  onEvent?: (event: TokenEvent) => void;
  /** Also refresh on a timer while idle. The timer does not keep the process alive. Default false. */
  keepFresh?: boolean;
  /** The tenant to ask for a token of. */
  tenantId?: string;
  /**
   * Asks for tokens that a resource may take back at any time by a claims challenge (continuous access evaluation). Only for
   * programs that answer these, as `createClaimsChallengeHandler` does. Default false.
   */
  enableCae?: boolean;
}

/** Options of {@link TokenProvider.getToken}. */
export interface TokenCallOptions {
  /** Detaches this call only, never the acquisition that others wait for. */
  abortSignal?: AbortSignalLike;
  /**
   * The claims that a resource asked for, as JSON text: `parseChallenge(...).claims`. The held token is forgotten and one
   * acquired with them, once for all who ask, and at most once in `invalidateIntervalMs`.
   */
  claims?: string;
  /** The token that was challenged. Where another one was acquired with claims meanwhile, that one is given. */
  rejectedToken?: string | AccessToken;
}

/** A function that gives a token that works, at any time. */
export interface TokenProvider {
  /** The token, without `Bearer `. Arguments are ignored: the Copilot runtime passes the session. */
  (args?: unknown): Promise<string>;
  /** The token and its times. With `claims`, a token for a resource that has challenged the last one. */
  getToken(options?: TokenCallOptions): Promise<AccessToken>;
  /**
   * Asks the credential for a new token at once, whatever the backoff or a `Retry-After` says: for a person's click on "try again". Shares
   * the acquisition that is under way, if there is one, and ends its pause between two attempts. The held token stays in use meanwhile, and if this fails.
   *
   * Resolves with the new token and its times, or with the held one where the credential gives the same again.
   *
   * @throws KeylessError the error of that acquisition, such as `credential/network` or `token/timeout`; `token/closed`
   */
  refresh(): Promise<AccessToken>;
  /**
   * Forgets the held token because the resource rejected it. Given the token that was rejected, does so only if that one is
   * still held. True if it did; at most once in `invalidateIntervalMs`.
   */
  invalidate(rejectedToken?: string | AccessToken): boolean;
  readonly status: TokenStatus;
  /** Forgets the token and refuses every later call. */
  close(): void;
  [Symbol.dispose](): void;
}
