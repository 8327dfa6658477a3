import type { EmulatorClock } from "./clock.js";
import type { Faults } from "./fault-types.js";
import type { RequestCounts, RequestRecord } from "./log.js";
import type { Quota } from "./quota.js";
import type { Replies } from "./replies.js";
import type { ReplyFunction } from "./reply.js";
import type { TokenSelection } from "./revocations.js";

/** Options of {@link startEmulator}. All are optional. */
export interface EmulatorOptions {
  /** The port of the Foundry resource. Default 0: a free port. */
  readonly port?: number;
  /** The port of the managed identity endpoint. Default 0: a free port. */
  readonly identityPort?: number;
  /**
   * The lifetime of tokens, in seconds, at least 1, or a function that is called for each token.
   * Fractions are allowed, but a token expires at a whole second: the lifetime is rounded up.
   * Default 3600.
   */
  readonly tokenLifetimeSeconds?: number | ((request: TokenLifetimeRequest) => number);
  /**
   * Whether the managed identity endpoints keep a token for each identity and resource, as Azure
   * does for about 24 h: every request gets the same token until five minutes before it expires, or
   * for half its life if that is less than ten minutes, even after {@link Emulator.revokeTokens}.
   * With `false` each request gets a new token. Entra's endpoint always issues new ones. Default
   * true.
   */
  readonly platformCache?: boolean;
  /**
   * Whether App Service's endpoint answers api-version 2025-03-30, which replaces a cached token
   * that the request names as revoked (`token_sha256_to_refresh` and `xms_cc=cp1`), as Service
   * Fabric's endpoint does in every version. It is described
   * in MSAL's design document; which hosts of Azure answer it is unknown. Default false: refused
   * with 400, as every unknown version.
   */
  readonly tokenRevocation?: boolean;
  /** The deployment in `env`. Default: the first of `deployments`. */
  readonly model?: string;
  /**
   * The deployments of the resource. Default `["gpt-5.5", "gpt-4o"]`, preceded by `model` if it is
   * another one.
   */
  readonly deployments?: readonly string[];
  /** The rate limits of deployments, by name. Default none. */
  readonly quotas?: Readonly<Record<string, Quota>>;
  /**
   * The caller's Azure roles on the resource, by name or GUID. With `[]`, or with `Owner` alone,
   * requests are refused for a missing data action. Default `["Foundry User"]`.
   */
  readonly roles?: readonly string[];
  /**
   * The audiences that the resource accepts, without `/.default`. Its 401 names the first one.
   * Project routes do not accept cognitiveservices. Default `["https://ai.azure.com",
   * "https://cognitiveservices.azure.com"]`.
   */
  readonly audiences?: readonly string[];
  /** Returns the reply of the model. Default: a sentence that quotes the prompt. */
  readonly reply?: ReplyFunction;
  /** The delay before each word of a streamed reply, in milliseconds. Default 15. */
  readonly chunkDelayMs?: number;
  /**
   * The origins of web pages that may call the Foundry resource (CORS), such as
   * `http://127.0.0.1:5173`. Default none, as for Azure's model endpoints.
   */
  readonly allowOrigins?: readonly string[];
  /** Supplies the time. Default: the system clock. Delays always take real time. */
  readonly clock?: EmulatorClock;
  /** The number of requests that `requests` keeps. Default 10000. */
  readonly logLimit?: number;
}

/** The argument of a lifetime function. */
export interface TokenLifetimeRequest {
  readonly resource: string;
  /** Counts the tokens of the emulator, from 1. */
  readonly count: number;
}

/** The environment of a process that uses the emulator: `{ ...process.env, ...emulator.env }`. */
export type EmulatorEnvironment = Record<
  | "IDENTITY_ENDPOINT"
  | "IDENTITY_HEADER"
  | "AZURE_TOKEN_CREDENTIALS"
  | "FOUNDRY_RESOURCE_URL"
  | "FOUNDRY_TOKEN_SCOPE"
  | "FOUNDRY_MODEL_NAME",
  string
>;

/**
 * The environments of processes on other hosts, each with the endpoint and the model:
 * `{ ...process.env, ...emulator.hosts.githubActions }`.
 */
export type EmulatedHosts = Record<
  /** A Foundry hosted agent: its project, its deployment and its own managed identity. */
  | "foundryHostedAgent"
  /** A job of GitHub Actions with `id-token: write`. */
  | "githubActions"
  /** A job of Azure Pipelines with a service connection. */
  | "azurePipelines"
  /** A Microsoft Entra ID auth sidecar with the services `Foundry` and `CognitiveServices`. */
  | "sidecar"
  /** Azure Machine Learning. */
  | "machineLearning",
  Readonly<Record<string, string>>
>;

/** The environments of {@link Emulator.startSecureHosts}. */
export type SecureHosts = Record<
  /**
   * Service Fabric, whose identity endpoint has a self-signed certificate. A client that does not
   * compare thumbprints accepts it with `NODE_TLS_REJECT_UNAUTHORIZED=0` alone.
   */
  | "serviceFabric"
  /**
   * A pod of AKS with an identity binding, without `AZURE_FEDERATED_TOKEN_FILE`: the federated
   * token is `identity.federatedToken`.
   */
  | "identityBinding"
  /** As `hosts.azurePipelines`, for clients that send the job's secret over https only. */
  | "azurePipelines",
  Readonly<Record<string, string>>
>;

/** The managed identity endpoint and its fictional identity. */
export interface EmulatedIdentity {
  /** Without a trailing slash. For IMDS, the value of `AZURE_POD_IDENTITY_AUTHORITY_HOST`. */
  readonly url: string;
  readonly port: number;
  /** App Service 2019-08-01: the value of `IDENTITY_ENDPOINT`. */
  readonly endpoint: string;
  /** IMDS 2018-02-01. */
  readonly imdsEndpoint: string;
  /**
   * Entra's `/{tenant}/oauth2/v2.0/token`: the value of `AZURE_AUTHORITY_HOST` for clients that
   * accept plain http to this machine.
   */
  readonly authorityHost: string;
  /** The application's secret, valid for `clientId` in `tenantId`. */
  readonly clientSecret: string;
  /** The token that a cluster would write to `AZURE_FEDERATED_TOKEN_FILE`. */
  readonly federatedToken: string;
  readonly tenantId: string;
  /** The `appid` of tokens, unless a request has a `client_id`. */
  readonly clientId: string;
  /** The `oid` of tokens, unless a request has a `principal_id`. */
  readonly principalId: string;
  /** The `xms_mirid` of tokens, unless a request has an `mi_res_id`. */
  readonly resourceId: string;
}

/** The Foundry resource. */
export interface EmulatedFoundry {
  /**
   * Without a trailing slash. The v1 routes are below `/openai/v1/`, and below `/v1/` for clients
   * that append it; Anthropic's are `/anthropic/v1/messages` and below it. The value of
   * `FOUNDRY_RESOURCE_URL`.
   */
  readonly url: string;
  readonly port: number;
  /** The deployments that exist now. */
  readonly deployments: readonly string[];
  /**
   * Sets the caller's roles from the next request on, as when an assignment takes effect or is
   * removed.
   */
  setRoles(roles: readonly string[]): void;
  /**
   * Sets the deployments from the next request on. Requests for one that was removed are refused
   * with `DeploymentNotFound`.
   */
  setDeployments(deployments: readonly string[]): void;
  /**
   * Sets the rate limits of a deployment, and starts its counts over. `undefined` removes them.
   * Responses say what is left (`x-ratelimit-...`); a request that exceeds a limit is refused with
   * 429, `retry-after` and `retry-after-ms`.
   */
  setQuota(deployment: string, quota: Quota | undefined): void;
}

/** A running emulator. `await using` stops it. */
export interface Emulator extends AsyncDisposable {
  readonly env: EmulatorEnvironment;
  /**
   * Options of `FoundryAgent`, `createFoundryProvider` and the HTTP handlers that lead to this
   * emulator. Nothing of `process.env` is read or changed:
   * `new FoundryAgent({ ...emulator.agentOptions })`.
   */
  readonly agentOptions: { readonly env: EmulatorEnvironment };
  /**
   * The control API for tests in other languages. See
   * docs/guides/testing-with-the-emulator.md#from-other-languages.
   */
  readonly controlUrl: string;
  readonly hosts: EmulatedHosts;
  readonly identity: EmulatedIdentity;
  readonly foundry: EmulatedFoundry;
  /**
   * The last requests to both servers, oldest first. The array is live: it grows with each request.
   */
  readonly requests: readonly RequestRecord[];
  readonly counts: RequestCounts;
  readonly faults: Faults;
  readonly replies: Replies;
  /**
   * Starts, at the first call, an https server for the hosts whose endpoint has a certificate of
   * its own, on a free port.
   */
  startSecureHosts(): Promise<SecureHosts>;
  /**
   * Revokes all tokens issued so far, or those of an identity. Returns how many were not yet
   * revoked. With `platformCache`, the managed identity endpoints go on returning the revoked token,
   * as Azure's do.
   */
  revokeTokens(selection?: TokenSelection): number;
  /**
   * Revokes one token, given by itself or by the `tokenId` of a request. Returns whether this
   * emulator issued it and it was not yet revoked.
   */
  revoke(token: string): boolean;
  /**
   * Puts the emulator's clock forward by milliseconds: tokens expire, quotas start over. The clock
   * of the program under test stays.
   */
  advanceClock(ms: number): void;
  /**
   * Restores roles, deployments and quotas, and forgets faults, replies and requests. Tokens and the
   * clock stay.
   */
  reset(): void;
  /** Closes both servers and all connections, including hanging ones. Later calls do nothing. */
  stop(): Promise<void>;
}
