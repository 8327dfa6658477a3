import type { EmulatorClock } from "./clock.js";
import type { Faults } from "./faults.js";
import type { RequestCounts, RequestRecord } from "./log.js";
import type { ReplyFunction } from "./reply.js";

/** What {@link startEmulator} can be told. Everything has a default. */
export interface EmulatorOptions {
  /** Port of the Foundry resource. Default 0: a free one. */
  readonly port?: number;
  /** Port of the managed identity endpoint. Default 0: a free one. */
  readonly identityPort?: number;
  /**
   * How long tokens live, in seconds: at least 1, fractions allowed. Claims hold whole seconds, so a token ends on the
   * first whole second that is not before that. Default 3600. A function is asked for each token.
   */
  readonly tokenLifetimeSeconds?: number | ((request: TokenLifetimeRequest) => number);
  /** The deployment that `env` names. Default: the first of `deployments`. */
  readonly model?: string;
  /** Deployments that exist. Default `["gpt-5.5", "gpt-4o"]`, and `model` before them if it is another. */
  readonly deployments?: readonly string[];
  /**
   * Azure roles of the caller on the resource, by name or GUID. Default `["Foundry User"]`. With `[]`, or with `Owner`
   * alone, requests are refused for a missing data action.
   */
  readonly roles?: readonly string[];
  /**
   * Audiences that the resource accepts, without `/.default`; the first is named in its 401. A project route does not
   * accept cognitiveservices. Default `["https://ai.azure.com", "https://cognitiveservices.azure.com"]`.
   */
  readonly audiences?: readonly string[];
  /** What the model answers. Default: a sentence that quotes the prompt. */
  readonly reply?: ReplyFunction;
  /** Milliseconds before each word of a streamed reply. Default 15. */
  readonly chunkDelayMs?: number;
  /**
   * Origins of web pages that may call the Foundry resource (CORS), such as `http://127.0.0.1:5173`. Default none, as in Azure:
   * its model endpoints answer no page of another origin.
   */
  readonly allowOrigins?: readonly string[];
  /** Default: the machine's clock. Delays always take real time. */
  readonly clock?: EmulatorClock;
  /** How many requests `requests` keeps. Default 10000. */
  readonly logLimit?: number;
}

/** What a lifetime function is told. */
export interface TokenLifetimeRequest {
  readonly resource: string;
  /** 1 for the first token of the emulator, then counting up. */
  readonly count: number;
}

/** What a process needs to run against the emulator: `{ ...process.env, ...emulator.env }`. */
export type EmulatorEnvironment = Record<
  | "IDENTITY_ENDPOINT"
  | "IDENTITY_HEADER"
  | "AZURE_TOKEN_CREDENTIALS"
  | "FOUNDRY_RESOURCE_URL"
  | "FOUNDRY_TOKEN_SCOPE"
  | "FOUNDRY_MODEL_NAME",
  string
>;

/** The managed identity endpoint, and the made-up identity behind it. */
export interface EmulatedIdentity {
  /** Without a trailing slash. For IMDS, this is `AZURE_POD_IDENTITY_AUTHORITY_HOST`. */
  readonly url: string;
  readonly port: number;
  /** App Service 2019-08-01: `IDENTITY_ENDPOINT`. */
  readonly endpoint: string;
  /** IMDS 2018-02-01. */
  readonly imdsEndpoint: string;
  /** Entra for applications, `/{tenant}/oauth2/v2.0/token`: `AZURE_AUTHORITY_HOST`, where plain http to this machine is taken. */
  readonly authorityHost: string;
  /** The application's secret, good for `clientId` in `tenantId`. */
  readonly clientSecret: string;
  /** What a cluster would put into `AZURE_FEDERATED_TOKEN_FILE`. */
  readonly federatedToken: string;
  readonly tenantId: string;
  /** `appid` of the tokens, unless a request asks for another `client_id`. */
  readonly clientId: string;
  /** `oid` of the tokens, unless a request asks for another `principal_id`. */
  readonly principalId: string;
  /** `xms_mirid` of the tokens, unless a request asks for another `mi_res_id`. */
  readonly resourceId: string;
}

/** The Foundry resource. */
export interface EmulatedFoundry {
  /** Without a trailing slash. The v1 routes are below `/openai/v1/`, Anthropic's is `/anthropic/v1/messages`. */
  readonly url: string;
  readonly port: number;
  readonly deployments: readonly string[];
  /** Roles of the caller from the next request on, as when an assignment takes effect or is taken away. */
  setRoles(roles: readonly string[]): void;
}

/** A running emulator. `await using` stops it. */
export interface Emulator extends AsyncDisposable {
  readonly env: EmulatorEnvironment;
  readonly identity: EmulatedIdentity;
  readonly foundry: EmulatedFoundry;
  /** The last requests to both servers, oldest first; it grows while you hold it. Tell them apart by `server`. */
  readonly requests: readonly RequestRecord[];
  readonly counts: RequestCounts;
  readonly faults: Faults;
  /** From now on the resource rejects all tokens issued so far; returns how many that newly concerns. */
  revokeTokens(): number;
  /** Closes both servers and all connections, hanging ones too. Calling it again does nothing. */
  stop(): Promise<void>;
}
