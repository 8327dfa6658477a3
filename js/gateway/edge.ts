import { checkArgument, quiet } from "../errors/check.js";
import { planDirect } from "../foundry/direct-plan.js";
import type { TokenProvider } from "../tokens/types.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import { EdgeExchange } from "./edge-exchange.js";
import { type EdgeGatewayOptions, readEdgeGatewayOptions } from "./edge-options.js";
import { ResourceTokens } from "./token.js";

/** A handler of `fetch` requests. It never rejects for a `Request`. */
export type EdgeGateway = ((request: Request) => Promise<Response>) & {
  readonly tokens: TokenProvider | undefined;
  /** Discards the token. Later requests are answered 503, `gateway/closing`. */
  close(): void;
};

/**
 * Creates a gateway for platforms whose servers turn a `Request` into a `Response`: workerd, Deno,
 * Bun, Azure Functions. It does with a request what `createGateway` does: takes the key, adds
 * a fresh Entra token, repairs paths, and explains refusals. Streams pass as they come.
 *
 * Answers come uncompressed, because `fetch` decompresses them.
 *
 * @throws KeylessError `gateway/invalid-option`, `endpoint/...`, `credential/...`, `policy/invalid`
 * @example
 * ```ts
 * const gateway = createEdgeGateway({ endpoint: "https://myres.openai.azure.com", key: env.GATEWAY_KEY });
 * export default { fetch: (request: Request) => gateway(request) };
 * ```
 */
export function createEdgeGateway(options: EdgeGatewayOptions): EdgeGateway {
  const { key, limits, allowHosts, allowOrigins, onAccess, request, direct } =
    readEdgeGatewayOptions(options);
  const { plan, tokens } = planDirect(request, direct);
  const { endpoint, config } = plan;
  const { baseUrl } = endpoint;
  const { Gateway: Rules } = gatewayModule();
  let closed = false;
  const context = {
    rules: new Rules(baseUrl, key, allowHosts, allowOrigins),
    provider: { endpoint },
    tokens: new ResourceTokens({ tokens, config: tokens ? { bearerTokenProvider: () => tokens() } : {} }),
    origin: new URL(baseUrl).origin,
    limits,
    headers: Object.entries(config.headers ?? {}),
    key,
    log: quiet(onAccess),
    isLogged: onAccess !== undefined,
    isClosed: () => closed,
  };
  const handle = async (request: Request): Promise<Response> => {
    checkArgument("request", request, REQUEST, "gateway/invalid-option", "Pass the unchanged request.");
    return new EdgeExchange(context, request).run();
  };
  const close = (): void => {
    closed = true;
    tokens?.close();
  };
  return Object.assign(handle, { tokens, close });
}

const REQUEST = {
  expected: "a Request",
  fits: (value: unknown): boolean => {
    const { method, url, headers } = value as Request;
    return typeof method === "string" && typeof url === "string" && typeof headers.get === "function";
  },
};
