import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { quiet } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import type { FoundryProvider } from "../foundry/provider.js";
import { systemClock } from "../platform/clock.js";
import { Backends } from "./backends.js";
import { Budget } from "./body.js";
import { Exchange, type Setup } from "./exchange.js";
import { type GatewayOptions, readGatewayOptions, type Settings } from "./options.js";

/** A running gateway. `await using` closes it. */
export interface Gateway extends AsyncDisposable {
  /** Without a slash at the end. Base URLs of clients: `{url}/openai/v1` and `{url}/anthropic`. */
  readonly url: string;
  readonly port: number;
  /** The key that clients send. Neither `util.inspect` nor `JSON.stringify` shows it. */
  readonly key: string;
  /** The endpoint behind the gateway, its model and its tokens; that of the first backend. */
  readonly provider: FoundryProvider;
  /** All backends, as they are now. */
  readonly backends: readonly GatewayBackendState[];
  /** The number of requests that are being forwarded. Refused ones do not count. */
  readonly active: number;
  /**
   * Replaces the options, as `createGateway` takes them: those of backends, keys, hosts, origins,
   * `limits` and `onAccess`. Requests in progress end with the old ones; conversations stay with
   * their resources. Without `key` and `keyFile` the key stays. `port` and `host` cannot change, nor
   * can the limits `bufferBytes`, `headersMs`, `requestMs` and `closeMs`, which are ignored.
   *
   * @throws KeylessError those of `createGateway`; nothing has changed then
   */
  reload(options: GatewayOptions): void;
  /**
   * Stops accepting requests, gives those in progress `limits.closeMs` to end, and closes all
   * connections. Later calls resolve with the first.
   */
  close(): Promise<void>;
}

/** A backend of a running gateway. */
export interface GatewayBackendState {
  readonly name: string;
  readonly provider: FoundryProvider;
  /** How long it is not asked, in milliseconds, after failures; 0 if it is. Not for its quota. */
  readonly pausedMs: number;
}

/**
 * Starts a gateway: an HTTP server on this machine that takes a local key, adds a fresh Entra token
 * and passes requests on to the endpoint. Bodies, queries and streams pass as they are; mistakes
 * that clients make in paths are repaired; a request whose token was revoked is sent again once;
 * refusals are explained.
 *
 * @throws KeylessError `gateway/invalid-option`, `gateway/key-file`, `gateway/port-in-use`,
 *   `gateway/listen-failed`, and those of `createFoundryProvider`
 * @example
 * ```ts
 * await using gateway = await createGateway({ endpoint: "https://myres.openai.azure.com" });
 * const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: gateway.key });
 * ```
 */
export async function createGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const settings = readGatewayOptions(options);
  const { limits } = settings;
  const setUp = (backends: Backends, { limits, key, onAccess }: Settings): Setup => {
    return { backends, limits, key, isLogged: onAccess !== undefined };
  };
  let setup = setUp(new Backends(settings), settings);
  const active = new Set<Exchange>();
  let closing: Promise<void> | undefined;
  const context = {
    get setup() {
      return setup;
    },
    budget: new Budget(limits.bufferBytes),
    active,
    refusal: () =>
      closing
        ? ("gateway/closing" as const)
        : active.size >= setup.limits.maxRequests
          ? ("gateway/busy" as const)
          : undefined,
  };
  let log = quiet(settings.onAccess);
  let whenIdle = () => {};
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    new Exchange(context, request, response, (entry) => {
      log(entry);
      if (active.size === 0) whenIdle();
    });
  };
  const server = createServer(
    {
      maxHeaderSize: 32 * 1024,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
      keepAliveTimeout: 120_000,
      noDelay: true,
    },
    serve,
  );
  // The exchange asks for a body that it reads. Other expectations may be ignored: RFC 9110, section 10.1.1.
  server.on("checkContinue", serve).on("checkExpectation", serve);
  server.maxConnections = 4 * limits.maxRequests;
  // Their size is limited; by default those after the 2,000th are dropped in silence.
  server.maxHeadersCount = 0;
  // A WebSocket is answered by the rules, as any other request.
  const port = await listen(server, settings).catch((error) => {
    setup.backends.close();
    throw error;
  });
  const reload = (changed: GatewayOptions): void => {
    const { key, keyFile, port: newPort = settings.port, host = settings.host } = changed;
    if ((newPort !== settings.port && newPort !== port) || host !== settings.host)
      throw new KeylessError(
        "gateway/invalid-option",
        "port and host cannot change while the gateway runs.",
        {
          hint: "Leave them as they are, or start the gateway again.",
        },
      );
    const kept = key === undefined && keyFile === undefined ? { key: setup.key } : {};
    const next = readGatewayOptions({ ...changed, ...kept });
    const backends = new Backends(next);
    backends.adopt(setup.backends);
    setup.backends.retire();
    setup = setUp(backends, next);
    server.maxConnections = 4 * next.limits.maxRequests;
    log = quiet(next.onAccess);
  };
  const shutDown = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    if (active.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = systemClock.setTimeout(resolve, limits.closeMs);
        whenIdle = () => {
          systemClock.clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const exchange of active) exchange.destroy();
    server.closeAllConnections();
    setup.backends.close();
    await closed;
  };
  const close = () => {
    closing ??= shutDown();
    return closing;
  };
  const name = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  const gateway = {
    url: `http://${name === "0.0.0.0" || name === "[::]" ? "127.0.0.1" : name}:${port}`,
    port,
    get provider() {
      return setup.backends.first.provider;
    },
    get backends() {
      return setup.backends.states();
    },
    get active() {
      return active.size;
    },
    reload,
    close,
    [Symbol.asyncDispose]: close,
  };
  // Not enumerable, so that no log of the gateway shows the key.
  return Object.defineProperty<object>(gateway, "key", { get: () => setup.key }) as Gateway;
}

/** Listens, and returns the port. */
function listen(server: Server, { host, port }: Settings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: Error & { code?: string }) => {
      const inUse = cause.code === "EADDRINUSE";
      const reason = inUse ? "the port is in use" : cause.message;
      reject(
        new KeylessError(
          inUse ? "gateway/port-in-use" : "gateway/listen-failed",
          `The gateway cannot listen on ${host}:${port}: ${reason}`,
          { hint: "Choose another port, or leave it out for a free one.", cause },
        ),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
