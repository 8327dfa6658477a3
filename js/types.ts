/** An abort signal, in the shape that `@azure/core-auth` and the platform share. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: (this: AbortSignalLike, event: unknown) => void): void;
  removeEventListener(type: "abort", listener: (this: AbortSignalLike, event: unknown) => void): void;
}

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

/** What a credential is asked for. */
export interface GetTokenOptions {
  abortSignal?: AbortSignalLike;
  tenantId?: string;
  /** The claims, as JSON text, of a resource's challenge. */
  claims?: string;
  /** Whether the program answers claims challenges (continuous access evaluation). */
  enableCae?: boolean;
}

/** Any credential of `@azure/identity`, or an object of your own with this one method. */
export interface TokenCredential {
  getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null>;
}

/**
 * Where time and chance come from. The default is the platform's; tests give their own.
 * A handle that `setTimeout` returns may have `ref` and `unref`, as Node's has.
 */
export interface Clock {
  /** Epoch milliseconds; may jump. */
  now(): number;
  /** Milliseconds since some fixed point; never runs backwards. */
  monotonic(): number;
  /** Uniform in 0..1. */
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
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
  code: string;
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
  /** Where time and chance come from. */
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

/** A remark on something that was accepted all the same. */
export interface Notice {
  /** Stable, such as `scheme-added`. */
  code: string;
  message: string;
}

/** Which credential gives the tokens, and why. It holds names of variables and ids, never a secret. */
export interface CredentialPlan {
  /**
   * `option`: your own credential or token function. `none`: no scope is known, so no token is sent. `default`: the whole chain of
   * `DefaultAzureCredential`; `developer-tools` (`dev`) and `deployed-service` (`prod`) are its parts. The others are one class of
   * `@azure/identity` each.
   */
  kind:
    | "option"
    | "none"
    | "default"
    | "developer-tools"
    | "deployed-service"
    | "environment"
    | "workload-identity"
    | "managed-identity"
    | "visual-studio-code"
    | "azure-cli"
    | "azure-powershell"
    | "azure-developer-cli";
  /** What decided: `option`, the name of a variable, or `default`. */
  source: string;
  /** Where the program runs, as far as variables tell. */
  host?:
    | "app-service"
    | "functions"
    | "container-apps"
    | "service-fabric"
    | "kubernetes"
    | "machine-learning"
    | "azure-arc"
    | "cloud-shell";
  /** The client id of the service principal, the workload identity or the user-assigned managed identity. */
  clientId?: string;
  /** The tenant of the service principal or the workload identity. */
  tenantId?: string;
  /** Where to sign in, if not at the public cloud's authority. */
  authorityHost?: string;
  /** What is half set, contradicts, or has no effect. They are not among the provider's `warnings`. */
  warnings: Notice[];
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

/** What an endpoint was found to be. */
export interface Endpoint {
  /** The text that was given, without secrets. */
  input: string;
  /** The same, put right. */
  url: string;
  kind:
    | "azure-openai"
    | "foundry-account"
    | "foundry-project"
    | "foundry-anthropic"
    | "ai-services"
    | "gateway"
    | "custom"
    | "local"
    | "openai";
  /** `unknown` for a gateway, another host, this machine. */
  cloud: "public" | "usgov" | "china" | "unknown";
  /** The provider type that the Copilot SDK has to use. */
  type: "openai" | "azure" | "anthropic";
  /** The base URL that the Copilot SDK has to use. */
  baseUrl: string;
  /** The scope of a token for it. Absent where none can be known: a gateway, another host, this machine. */
  scope?: string;
  /** Other scopes that the resource may accept. */
  alternateScopes: string[];
  /** The Entra authority of its cloud. */
  authorityHost?: string;
  resource?: string;
  project?: string;
  /** The deployment named in a legacy path. */
  deployment?: string;
  apiVersion?: string;
  warnings: Notice[];
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

/** A request to a model that failed, as {@link diagnose} takes it. */
export interface FailedRequest {
  /** The endpoint, in any form; what cannot be read counts as not given. */
  endpoint?: string | Endpoint | undefined;
  /** The HTTP status; 0 if no answer came. */
  status: number;
  /** The response's headers. */
  headers?: Record<string, string> | Iterable<readonly [string, string]> | undefined;
  /** The response's body, as text or parsed; with status 0 what the network said. */
  body?: unknown;
  /** The token that was sent. It is only decoded: neither stored nor shown. */
  token?: string | AccessToken | undefined;
  /** When the request was made, in epoch ms. Default: now. */
  now?: number | undefined;
  /** The deployment that was asked for. */
  deployment?: string | undefined;
  wireApi?: "responses" | "completions" | undefined;
}

/** What a failed request was found to be. docs/errors.md lists the codes. */
export interface Diagnosis {
  /** Stable, such as `missing-role`. `ok` when the request did not fail, `unknown` when nothing fits. */
  code: string;
  /** The finding in a few words. */
  title: string;
  /** Why it was found, with the names and times of this case. */
  cause: string;
  /** What to do, the likeliest first. A command stands on a line of its own. */
  fixes: string[];
  /** Whether the same request may succeed later, with nothing changed. */
  retryable: boolean;
  /** Whether the resource rejected the token itself, so that another one may be accepted. */
  tokenRejected: boolean;
  /** The HTTP status, if an answer came. */
  status?: number;
  /** Azure's own words, or the network's. */
  message?: string;
  /** How long Azure asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /** Azure's id of the request, for its support. */
  requestId?: string;
}

/** The role that a principal needs to use the models of a resource. */
export interface RoleAssignment {
  /** The role's name, such as `Cognitive Services OpenAI User`. */
  role: string;
  /** The role's id, which does not change when the name does. */
  roleId: string;
  /** The command of the Azure CLI that assigns it, with a placeholder such as `<object-id>` for what is not known. */
  command: string;
}
