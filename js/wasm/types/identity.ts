import type { CoreError } from "../modules/core.js";
import type { AccessToken } from "./token.js";

/** The kind of identity endpoint. */
export type TokenSource = "app-service" | "imds" | "workload-identity" | "client-secret";

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
  /** The form to POST. Without it the request is a GET. */
  form?: string;
  /**
   * The header or form field for the secret, and the variable that holds the secret or the path of
   * its file.
   */
  secret?: { name: "x-identity-header" | "client_secret" | "client_assertion"; variable?: string };
  /** Whether it renews the rejected token. */
  renews?: boolean;
  timeoutMs: number;
}

/** The response to a token request. */
export interface TokenAnswer {
  source: TokenSource;
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
  | { error: CoreError }
  | {
      failure: {
        status?: number;
        message: string;
        retryAfterMs?: number;
        /** The delay before a retry. Absent if a retry is useless. */
        retryInMs?: number;
      };
    }
  /**
   * A renewal brought no token: send the ordinary request. `refused`: the endpoint does not know
   * renewals.
   */
  | { notRenewed: { refused: boolean } };
