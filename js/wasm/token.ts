import type { ErrorCode } from "../errors/codes.js";
/** What a credential gives: `AccessToken` of `@azure/core-auth`. Times in epoch milliseconds. */
export interface AccessToken {
  /** The token, without `Bearer `. */
  token: string;
  /** When it expires. */
  expiresOnTimestamp: number;
  /** When its issuer would like it to be refreshed. */
  refreshAfterTimestamp?: number;
  tokenType?: string;
}

/** The numbers that the refresh schedule goes by, all in milliseconds. */
export interface RefreshPolicy {
  /** Refresh a token of ordinary life this long before it expires. Default 300,000. */
  refreshBeforeExpiryMs: number;
  /** Tokens that live this long or longer are refreshed at half their life. Default 7,200,000. */
  longLivedMs: number;
  /** A refresh is put off by chance, by up to this. Default 60,000. */
  jitterMs: number;
  /** A token with this much left or less is not handed out. Default 10,000; a quarter of its life at most. */
  minRemainingMs: number;
  /** The first wait after a failed refresh while the token is good; it doubles. Default 30,000. */
  retryMinMs: number;
  /** The longest such wait, but for its jitter of up to a fifth. Default 300,000. */
  retryMaxMs: number;
  /** How long callers wait for an acquisition. Default 15,000. */
  waitTimeoutMs: number;
  /** How long a refresh in the background may take. Default 30,000. */
  backgroundTimeoutMs: number;
  /** At most one forced acquisition in this time. Default 30,000. */
  invalidateIntervalMs: number;
  /** A token that claims to live longer is refused. Default 172,800,000. */
  maxLifetimeMs: number;
}

/** What an error looks like in a status or an event: no token, no secret, no stack. */
export interface ErrorSummary {
  code: ErrorCode;
  message: string;
  hint?: string;
  status?: number;
}

/** Where a token provider stands. Times in epoch milliseconds. */
export interface TokenStatus {
  /** `empty`: none yet, or invalidated. `fresh`. `due`: being refreshed while in use. `expired`. `closed`. */
  state: "empty" | "fresh" | "due" | "expired" | "closed";
  expiresOn?: number;
  /** When its refresh is due, jitter included. */
  refreshOn?: number;
  /** When the next attempt may be made, after a failed one. Until then calls without a good token are rejected with `lastError`. */
  nextAttemptOn?: number;
  /** Whether an acquisition is under way. */
  refreshing: boolean;
  /** Acquisitions that failed since the last one that succeeded. */
  consecutiveFailures: number;
  lastError?: ErrorSummary;
}

/** What a token says about itself; times in epoch milliseconds. An opaque token says nothing. */
export interface TokenDescription {
  format: "jwt" | "opaque";
  principal: "managed-identity" | "app" | "user" | "unknown";
  audience?: string;
  issuer?: string;
  tenantId?: string;
  /** The principal that needs the role. */
  objectId?: string;
  appId?: string;
  appName?: string;
  userName?: string;
  /** The managed identity's, or its host's, resource id. */
  managedIdentity?: string;
  scopes: string[];
  roles: string[];
  issuedAt?: number;
  notBefore?: number;
  expiresOn?: number;
  /** Whether it is ready for continuous access evaluation. */
  continuousAccess: boolean;
}

/** What the `Bearer` challenge of a `WWW-Authenticate` header says. */
export interface Challenge {
  /** The claims that a new token has to be acquired with, as JSON text. */
  claims?: string;
  /** Such as `insufficient_claims` or `invalid_token`. */
  error?: string;
  errorDescription?: string;
  authorizationUri?: string;
}
