import type { TokenCredential } from "../credentials/credential.js";
import {
  type Checks,
  callback,
  credential as credentialCheck,
  either,
  listOf,
  object,
  readOptions,
  text,
} from "../errors/check.js";
import type { DirectSettings, planDirect } from "../foundry/direct-plan.js";
import { checkedLimits } from "../http/limits.js";
import { type Environment, environment } from "../platform/environment.js";
import type { TokenProviderOptions } from "../tokens/types.js";
import type { GatewayAccess } from "./access-log.js";
import { checkedKey, invalid } from "./key.js";

/** Options of {@link createEdgeGateway}. */
export interface EdgeGatewayOptions {
  /** The key that clients send, 16 to 512 visible ASCII characters. Keep it in a secret. */
  key: string;
  /** The endpoint of the resource or project. Default: from the environment. */
  endpoint?: string | undefined;
  /** The credential. Default: `"direct"`, a direct credential for the environment. */
  credential?: TokenCredential | "direct" | undefined;
  /** The token scope. Default: by the endpoint. */
  scope?: string | undefined;
  /** Headers for all requests to the resource. */
  headers?: Record<string, string> | undefined;
  /** Options of the token provider. */
  tokens?: TokenProviderOptions | undefined;
  /** The names, without port, that clients may use in `Host`. Default: any. */
  allowHosts?: readonly string[] | undefined;
  /** The origins of web pages that may use the gateway. Default none. */
  allowOrigins?: readonly string[] | undefined;
  /** Overrides of the limits. */
  limits?: Partial<EdgeGatewayLimits> | undefined;
  /** Receives an entry for each request when it ends. Errors that it throws are ignored. */
  onAccess?: ((entry: GatewayAccess) => void) | undefined;
  /**
   * The environment variables. Default `process.env`; on a platform without it, pass its bindings.
   */
  env?: Environment | undefined;
}

/**
 * Limits of an edge gateway. Times are in milliseconds, sizes in bytes. The platform limits how many
 * requests there are at once, and how slowly they may arrive.
 */
export interface EdgeGatewayLimits {
  /** Size of a request's body. Default 104,857,600 (100 MiB). */
  maxBodyBytes: number;
  /**
   * Memory for the body of one request. Default 4,194,304 (4 MiB). A larger body is streamed, and
   * its request not repeated after a revocation.
   */
  bufferBytes: number;
  /** Time until the resource answers. Default 600,000: a model may think for minutes. */
  firstByteMs: number;
  /** Longest pause within an answer of the resource. Default 300,000. */
  idleMs: number;
}

const LIMITS: EdgeGatewayLimits = {
  maxBodyBytes: 100 * 1024 * 1024,
  bufferBytes: 4 * 1024 * 1024,
  firstByteMs: 600_000,
  idleMs: 300_000,
};

/** Checked options, with defaults. */
export interface EdgeSettings {
  request: Parameters<typeof planDirect>[0];
  direct: DirectSettings;
  key: string;
  allowHosts: string[] | undefined;
  allowOrigins: string[];
  limits: EdgeGatewayLimits;
  onAccess: EdgeGatewayOptions["onAccess"];
}

function edgeGatewayChecks(): Checks<EdgeGatewayOptions> {
  return {
    key: text,
    endpoint: text,
    credential: either(credentialCheck, { expected: '"direct"', fits: (value) => value === "direct" }),
    scope: text,
    headers: object,
    tokens: object,
    allowHosts: listOf(text),
    allowOrigins: listOf(text),
    limits: object,
    onAccess: callback,
    env: object,
  };
}

const KEY_HINT = "Keep one in a secret of the platform, such as that of `openssl rand -hex 32`.";

/** Checks the options. Throws `gateway/invalid-option`. */
export function readEdgeGatewayOptions(given: EdgeGatewayOptions): EdgeSettings {
  const {
    key,
    allowHosts,
    allowOrigins = [],
    limits,
    onAccess,
    credential,
    tokens,
    env = environment(),
    ...request
  } = readOptions(given, edgeGatewayChecks(), "gateway/invalid-option");
  if (key === undefined) throw invalid("key is required: clients send it.", KEY_HINT);
  return {
    request,
    direct: { credential, tokens, env },
    key: checkedKey(key, KEY_HINT),
    allowHosts: allowHosts && [...allowHosts],
    allowOrigins: [...allowOrigins],
    limits: checkedLimits(LIMITS, limits, "gateway/invalid-option"),
    onAccess,
  };
}
