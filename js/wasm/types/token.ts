import type { ErrorCode } from "../../errors/codes.js";

/**
 * A token as credentials return it: `AccessToken` of `@azure/core-auth`. Times in epoch
 * milliseconds.
 */
export interface AccessToken {
  /** The token, without `Bearer `. */
  token: string;
  /** When it expires. */
  expiresOnTimestamp: number;
  /** The refresh time that its issuer advises. */
  refreshAfterTimestamp?: number;
  tokenType?: string;
}

/** Settings of the refresh schedule, all in milliseconds. */
export interface RefreshPolicy {
  /** How long before its expiry a token is refreshed. Default 300,000. */
  refreshBeforeExpiryMs: number;
  /** Tokens with this lifetime or a longer one are refreshed at half of it. Default 7,200,000. */
  longLivedMs: number;
  /** The longest random delay of a refresh. Default 60,000. */
  jitterMs: number;
  /**
   * A token that expires within this time is not used. Default 10,000, at most a quarter of its
   * lifetime.
   */
  minRemainingMs: number;
  /**
   * The first backoff after a failed refresh while the token is usable; it doubles. Default 30,000.
   */
  retryMinMs: number;
  /** The longest such backoff, before jitter of up to a fifth. Default 300,000. */
  retryMaxMs: number;
  /**
   * How long callers wait for an acquisition. All requests of an attached session's turn share one
   * wait. Default 15,000.
   */
  waitTimeoutMs: number;
  /** The deadline of a background refresh. Default 30,000. */
  backgroundTimeoutMs: number;
  /** The shortest time between two forced acquisitions. Default 30,000. */
  invalidateIntervalMs: number;
  /** Tokens with a longer lifetime are refused. Default 172,800,000. */
  maxLifetimeMs: number;
}

/** An error in a status or an event: no token, no secret, no stack. */
export interface ErrorSummary {
  code: ErrorCode;
  message: string;
  hint?: string;
  status?: number;
}

/** The state of a token provider. Times in epoch milliseconds. */
export interface TokenStatus {
  /**
   * `empty`: no token yet, or it was invalidated. `fresh`. `due`: in use, and to be refreshed.
   * `expired`. `closed`.
   */
  state: "empty" | "fresh" | "due" | "expired" | "closed";
  expiresOn?: number;
  /** When its refresh is due, including jitter. */
  refreshOn?: number;
  /**
   * The earliest time of the next attempt after a failed one. Until then calls without a usable
   * token are rejected with `lastError`.
   */
  nextAttemptOn?: number;
  /** Whether an acquisition is in flight. */
  refreshing: boolean;
  /** Failed acquisitions since the last successful one. */
  consecutiveFailures: number;
  lastError?: ErrorSummary;
}

/** The decoded claims of a token. Times in epoch milliseconds. An opaque token has none. */
export interface TokenDescription {
  format: "jwt" | "opaque";
  principal: "managed-identity" | "app" | "user" | "unknown";
  audience?: string;
  issuer?: string;
  tenantId?: string;
  /** The object id of the principal, which needs the role. */
  objectId?: string;
  appId?: string;
  appName?: string;
  userName?: string;
  /** The resource id of the managed identity or of its host. */
  managedIdentity?: string;
  scopes: string[];
  roles: string[];
  issuedAt?: number;
  notBefore?: number;
  expiresOn?: number;
  /** Whether it supports continuous access evaluation. */
  continuousAccess: boolean;
}

/** The `Bearer` challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** The claims to acquire a new token with, as JSON text. */
  claims?: string;
  /** The error code, such as `insufficient_claims` or `invalid_token`. */
  error?: string;
  errorDescription?: string;
  authorizationUri?: string;
}
