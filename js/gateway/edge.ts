import {
  type Checks,
  callback,
  checkArgument,
  listOf,
  object,
  quiet,
  readOptions,
  text,
} from "../errors/check.js";
import { type FoundryProviderOptions, foundryChecks } from "../foundry/options.js";
import { createFoundryProvider, type FoundryProvider } from "../foundry/provider.js";
import { checkedLimits } from "../http/limits.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import { EdgeExchange } from "./edge-exchange.js";
import { checkedKey, invalid } from "./key.js";
import type { GatewayAccess } from "./options.js";

/** Options of {@link createEdgeGateway}: those of `createFoundryProvider`, and the ones below. */
export interface EdgeGatewayOptions extends FoundryProviderOptions {
  /** The key that clients send, 16 to 512 visible ASCII characters. Keep it in a secret. */
  key: string;
  /** Default `"direct"`: the direct credential for the environment. */
  credential?: FoundryProviderOptions["credential"];
  /** The names, without port, that clients may use in `Host`. Default: any. */
  allowHosts?: readonly string[] | undefined;
  /** The origins of web pages that may use the gateway. Default none. */
  allowOrigins?: readonly string[] | undefined;
  /** Overrides of the limits. */
  limits?: Partial<EdgeGatewayLimits> | undefined;
  /** Receives an entry for each request when it ends. Errors that it throws are ignored. */
  onAccess?: ((entry: GatewayAccess) => void) | undefined;
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

/** A handler of `fetch` requests. It never rejects for a `Request`. */
export type EdgeGateway = ((request: Request) => Promise<Response>) & {
  /** The endpoint behind the gateway, its model and its tokens. */
  readonly provider: FoundryProvider;
  /** Discards the token. Later requests are answered 503, `gateway/closing`. */
  close(): void;
};

/**
 * Creates a gateway for platforms whose servers turn a `Request` into a `Response`: workerd, Deno,
 * Bun, Azure Functions. It does with a request what {@link createGateway} does: takes the key, adds
 * a fresh Entra token, repairs paths, and explains refusals. Streams pass as they come.
 *
 * Answers come uncompressed, because `fetch` decompresses them.
 *
 * @throws KeylessError `gateway/invalid-option`, and those of `createFoundryProvider`
 * @example
 * ```ts
 * const gateway = createEdgeGateway({ endpoint: "https://myres.openai.azure.com", key: env.GATEWAY_KEY });
 * export default { fetch: (request: Request) => gateway(request) };
 * ```
 */
export function createEdgeGateway(options: EdgeGatewayOptions): EdgeGateway {
  const {
    key,
    allowHosts,
    allowOrigins = [],
    limits,
    onAccess,
    ...others
  } = readOptions(options, edgeGatewayChecks(), "gateway/invalid-option");
  if (key === undefined)
    throw invalid("key is required: clients send it.", "Keep it in a secret of the platform.");
  const checked = checkedKey(key);
  const checkedLimit = checkedLimits(LIMITS, limits, "gateway/invalid-option");
  const provider = createFoundryProvider({ credential: "direct", ...others });
  const { baseUrl } = provider.endpoint;
  const { Gateway: Rules } = gatewayModule();
  let closed = false;
  const context = {
    rules: new Rules(baseUrl, checked, allowHosts && [...allowHosts], [...allowOrigins]),
    provider,
    origin: new URL(baseUrl).origin,
    limits: checkedLimit,
    headers: Object.entries(provider.config.headers ?? {}),
    key: checked,
    log: quiet(onAccess),
    isClosed: () => closed,
  };
  const handle = async (request: Request): Promise<Response> => {
    checkArgument("request", request, REQUEST, "gateway/invalid-option", "Pass the unchanged request.");
    return new EdgeExchange(context, request).run();
  };
  const close = (): void => {
    closed = true;
    provider.close();
  };
  return Object.assign(handle, { provider, close });
}

const REQUEST = {
  expected: "a Request",
  fits: (value: unknown): boolean => {
    const { method, url, headers } = value as Request;
    return typeof method === "string" && typeof url === "string" && typeof headers.get === "function";
  },
};

function edgeGatewayChecks(): Checks<EdgeGatewayOptions> {
  return {
    ...foundryChecks(),
    key: text,
    allowHosts: listOf(text),
    allowOrigins: listOf(text),
    limits: object,
    onAccess: callback,
  };
}
