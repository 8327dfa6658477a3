import type { CoreError } from "./core-error.js";
import type { AccessToken } from "./token.js";

/** The kind of identity endpoint. */
export type TokenSource =
  | "app-service"
  | "imds"
  | "workload-identity"
  | "client-secret"
  | "service-fabric"
  | "machine-learning"
  | "github-actions"
  | "azure-pipelines"
  | "sidecar";

/** The request to a Microsoft Entra ID auth sidecar. */
export interface SidecarOptions {
  /**
   * The sidecar's base URL: https, or http to this machine or a private network. Default:
   * `SIDECAR_URL`.
   */
  url?: string | undefined;
  /** The name of the downstream API in the sidecar's configuration (`DownstreamApis__<name>`). */
  service: string;
  /** The client id of the agent identity. Default: the identity of the blueprint. */
  agentIdentity?: string | undefined;
  /** The name of the agent's user. Needs `agentIdentity`. */
  agentUsername?: string | undefined;
  /** The object id of the agent's user. Needs `agentIdentity`, excludes `agentUsername`. */
  agentUserId?: string | undefined;
  /**
   * Whether to send the scope, the tenant and, without a user, the request for an app-only token.
   * Sidecars refuse these overrides unless they are configured to permit them. Default false: the
   * sidecar's configuration counts.
   */
  overrides?: boolean | undefined;
}

/** Input of the core for the plan of a token request. */
export interface TokenRequest {
  source?: TokenSource | undefined;
  scopes: string[];
  clientId?: string | undefined;
  objectId?: string | undefined;
  resourceId?: string | undefined;
  tenantId?: string | undefined;
  authorityHost?: string | undefined;
  claims?: string | undefined;
  ownAssertion: boolean;
  ownSecret: boolean;
  serviceConnectionId?: string | undefined;
  sidecar?: SidecarOptions | undefined;
  identityBinding?: boolean | undefined;
  /** In lower-case hexadecimal digits. */
  rejectedTokenSha256?: string | undefined;
  /** Whether the endpoint refused a renewal before. */
  renewalRefused?: boolean;
  env: Record<string, string>;
}

/** A planned token request, without its secret. */
export interface TokenCall {
  source: TokenSource;
  url: string;
  headers: Record<string, string>;
  /** The form to POST; it may be empty. Without it the request is a GET. */
  form?: string;
  secret?: SecretPlace;
  /**
   * The request to send first, for the federated token of a job. The assertion in its answer is the
   * secret.
   */
  assertionCall?: TokenCall;
  /** The rules of the TLS connection, where `fetch` cannot follow them. */
  tls?: TlsRules;
  /** Whether it renews the rejected token. */
  renews?: boolean;
  timeoutMs: number;
}

/**
 * The header or form field for a secret, and the variable that holds the secret or the path of its
 * file.
 */
export interface SecretPlace {
  /** The form field is `client_secret` or `client_assertion`; each other name is a header. */
  name: "x-identity-header" | "secret" | "authorization" | "client_secret" | "client_assertion";
  /** The text before the secret. */
  prefix?: string;
  variable?: string;
}

/** Rules of a TLS connection. */
export interface TlsRules {
  /** The name to ask for and to check, instead of the host. */
  serverName?: string;
  /** The file with the certificate authority, to read for every attempt. */
  caFile?: string;
  /** The certificate authority as PEM text. */
  ca?: string;
  /** The SHA-1 digest of the certificate, in lower-case hexadecimal digits: the only check. */
  thumbprint?: string;
}

/** The response to a token request. */
export interface TokenAnswer {
  source: TokenSource;
  /** Whether this answers the `assertionCall`. */
  ofAssertion: boolean;
  renews?: boolean | undefined;
  status: number;
  headers: Record<string, string>;
  body: string;
  secret: string;
  requestedAt: number;
  answeredAt: number;
  attempt: number;
  /** Uniform in 0..1. */
  random: number;
}

/** The core's evaluation of a {@link TokenAnswer}. */
export type TokenVerdict =
  | { token: AccessToken }
  | { assertion: string }
  | { error: CoreError }
  | { failure: TokenFailure }
  /**
   * A renewal brought no token: send the ordinary request. `refused`: the endpoint does not know
   * renewals.
   */
  | { notRenewed: { refused: boolean } };

/** Why a request gave no token. */
export interface TokenFailure {
  status?: number;
  message: string;
  retryAfterMs?: number;
  /** The delay before a retry. Absent if a retry is useless. */
  retryInMs?: number;
  /** The code, where the status does not tell it. */
  code?: "credential/refused";
  /** The next step, where the source has one of its own. */
  hint?: string;
}
