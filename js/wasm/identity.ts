import type { CoreError } from "./modules/core.js";
import type { AccessToken } from "./token.js";

/** Where a token comes from. */
export type TokenSource = "app-service" | "imds" | "workload-identity" | "client-secret";

/** What the core needs to plan the request for a token. */
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
  env: Record<string, string>;
}

/** The request that the core decided on, but for its secret. */
export interface TokenCall {
  source: TokenSource;
  url: string;
  headers: Record<string, string>;
  /** To be posted. */
  form?: string;
  /** The header or the field of the form where the secret belongs, and the variable that holds it or its file's path. */
  secret?: { name: "x-identity-header" | "client_secret" | "client_assertion"; variable?: string };
  timeoutMs: number;
}

/** What came back, for the core to judge. */
export interface TokenAnswer {
  source: TokenSource;
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

/** The core's judgement. */
export type TokenVerdict =
  | { token: AccessToken; error?: undefined; failure?: undefined }
  | { error: CoreError; token?: undefined; failure?: undefined }
  | {
      failure: {
        status?: number;
        message: string;
        retryAfterMs?: number;
        /** When to ask again; absent if there is no use in it. */
        retryInMs?: number;
      };
      token?: undefined;
      error?: undefined;
    };
