// For programs that are compiled with an older `lib`: declares Symbol.dispose.
/// <reference lib="esnext.disposable" preserve="true" />

import type { AbortSignalLike } from "../credentials/credential.js";
import type { Clock } from "../platform/clock.js";
import type { AccessToken, ErrorSummary, RefreshPolicy, TokenStatus } from "../wasm/types/token.js";

/**
 * Reports a change of a token. `at` is in epoch milliseconds. No event holds a token or a secret.
 */
export type TokenEvent = { at: number; scope: string } & (
  | { type: "refresh-started"; background: boolean; attempt: number }
  | { type: "refresh-succeeded"; expiresOn: number; durationMs: number }
  | { type: "refresh-unchanged"; nextAttemptOn?: number }
  | { type: "refresh-failed"; error: ErrorSummary; willRetryInMs?: number; nextAttemptOn?: number }
  | { type: "refresh-abandoned"; error: ErrorSummary }
  /**
   * A managed identity's credential of `@azure/identity` failed with `error`, and the direct
   * credential returned a token of the same identity instead.
   */
  | { type: "direct-fallback"; error: ErrorSummary }
  | { type: "stale-served"; expiresOn: number; consecutiveFailures: number }
  | { type: "invalidated" }
  | { type: "challenged" }
  | { type: "closed" }
);

/** Options of {@link createBearerTokenProvider}. */
export interface TokenProviderOptions {
  /** Overrides of the refresh policy. Each value is checked. */
  policy?: Partial<RefreshPolicy>;
  /** @deprecated Use `withClock(clock, options)` of `copilot-keyless/testing`. */
  clock?: Clock;
  /** Receives every {@link TokenEvent}. Errors that it throws are ignored. */
  onEvent?: (event: TokenEvent) => void;
  /**
   * Also refresh on a timer while idle. The timer does not keep the process alive. Default false.
   */
  keepFresh?: boolean;
  /** The tenant that issues the tokens. Default: the credential's. */
  tenantId?: string;
  /**
   * Requests tokens for continuous access evaluation, which a resource may revoke at any time by a
   * claims challenge. Enable it only if the program answers challenges, as
   * `createClaimsChallengeHandler` does. Default false.
   */
  enableCae?: boolean;
}

/** Options of {@link TokenProvider.getToken}. */
export interface TokenCallOptions {
  /** Aborts this call only. The acquisition goes on for other callers. */
  abortSignal?: AbortSignalLike;
  /**
   * The claims of a claims challenge, as JSON text: `parseChallenge(...).claims`. Discards the
   * current token and acquires one with these claims. Concurrent calls share the acquisition; there
   * is at most one per `invalidateIntervalMs`.
   */
  claims?: string;
  /**
   * The token that was challenged. If the current token is a newer one that was acquired with
   * claims, the call returns that one.
   */
  rejectedToken?: string | AccessToken;
}

/** Returns a usable token at any time. */
export interface TokenProvider {
  /**
   * Returns the token, without `Bearer `. Ignores its arguments: the Copilot runtime passes the
   * session.
   */
  (args?: unknown): Promise<string>;
  /** Returns the token and its times. Pass `claims` to answer a claims challenge. */
  getToken(options?: TokenCallOptions): Promise<AccessToken>;
  /**
   * Acquires a new token at once, whatever the backoff or a `Retry-After` says: for a "try again"
   * button. Joins an acquisition in flight and ends its pause between two attempts. The current
   * token stays in use meanwhile, and if the refresh fails.
   *
   * Resolves with the new token and its times, or with the current one if the credential returns it
   * again.
   *
   * @throws KeylessError `token/closed`, or the error of that acquisition, such as
   *   `credential/network` or `token/timeout`
   */
  refresh(): Promise<AccessToken>;
  /**
   * Discards the current token because the resource rejected it. With `rejectedToken`, does so only
   * if that is the current token. At most once per `invalidateIntervalMs`. Returns whether it
   * discarded the token.
   */
  invalidate(rejectedToken?: string | AccessToken): boolean;
  readonly status: TokenStatus;
  /** Discards the token. Every later call is rejected with `token/closed`. */
  close(): void;
  [Symbol.dispose](): void;
}
