import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { systemClock } from "../platform/clock.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { Body } from "./body.js";
import type { GatewayLimits } from "./options.js";
import { UNREADABLE_STATUS } from "./verdict.js";

/** A request to the resource. */
export interface Outgoing {
  method: string;
  target: string;
  /** Alternating names and values. */
  headers: readonly string[];
  body: Body;
  /** The request of the client, for the rest of a body that is not whole. */
  source: IncomingMessage;
}

/** Why there is no answer. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";

  constructor(
    message: string,
    readonly reason: "network" | "timeout" | "too-large",
    /** Whether a connection that had been used before broke, so that the request may be repeated. */
    readonly reused: boolean,
    /** Whether a connection was made, so that the resource may have the request. */
    readonly isConnected: boolean,
  ) {
    super(message);
  }
}

/** Sends requests to the resource, on connections that stay open. */
export class Upstream {
  readonly #host: string;
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  /** What all requests have in common. */
  readonly #to: RequestOptions;
  readonly #limits: GatewayLimits;

  constructor(baseUrl: string, limits: GatewayLimits) {
    const { hostname, port, host, protocol } = new URL(baseUrl);
    this.#host = host;
    this.#limits = limits;
    const secure = protocol === "https:";
    const settings = { keepAlive: true, noDelay: true, scheduling: "lifo", maxFreeSockets: 64 } as const;
    this.#agent = secure ? new HttpsAgent(settings) : new HttpAgent(settings);
    this.#request = secure ? httpsRequest : httpRequest;
    // Without the brackets of an IPv6 address.
    this.#to = { hostname: hostname.replace(/^\[|\]$/g, ""), port, agent: this.#agent };
  }

  /**
   * Sends a request and resolves with the head of its answer. Rejects with an {@link UpstreamError}.
   * `onRequest` receives the request, to destroy it when the client leaves.
   */
  send(outgoing: Outgoing, onRequest: (request: ClientRequest) => void): Promise<IncomingMessage> {
    const { method, target, headers, body, source } = outgoing;
    return new Promise((resolve, reject) => {
      const request = this.#request({
        ...this.#to,
        method,
        path: target,
        headers: ["Host", this.#host, ...headers, ...framing(method, body)],
      });
      onRequest(request);
      // Their size is limited; by default those after the 2,000th are dropped in silence.
      request.maxHeadersCount = 0;
      let answer: IncomingMessage | undefined;
      let isConnected = false;
      const fail = (message: string, reason: UpstreamError["reason"] = "network", isBroken = false) => {
        // What Node takes for the end of a body, at an error of its connection, is none.
        if (answer?.complete === false) answer.destroy(new Error(message));
        if (answer) return void request.destroy();
        reject(new UpstreamError(message, reason, isBroken && request.reusedSocket, isConnected));
        request.destroy();
      };
      const slow = systemClock.setTimeout(
        () => fail("the resource did not answer in time", "timeout"),
        this.#limits.firstByteMs,
      );
      // Each of these comes once.
      request.on("socket", (socket) => {
        isConnected = !socket.connecting;
        if (isConnected) return;
        const stuck = systemClock.setTimeout(
          () => fail("the connection to the resource timed out (ETIMEDOUT)"),
          this.#limits.connectMs,
        );
        const done = () => systemClock.clearTimeout(stuck);
        socket
          .once(this.#agent instanceof HttpsAgent ? "secureConnect" : "connect", () => {
            isConnected = true;
            done();
          })
          .once("close", done);
      });
      request.on("error", (error: Error & { code?: string }) => {
        const code = error.code === undefined || error.message.includes(error.code) ? "" : ` (${error.code})`;
        const isUnreadable = error.code?.startsWith("HPE_") === true;
        const what = isUnreadable ? "the answer cannot be read: " : "";
        fail(`${what}${error.message}${code}`, "network", !isUnreadable);
      });
      request.on("close", () => {
        systemClock.clearTimeout(slow);
        fail("the connection was closed", "network", true);
      });
      request.on("upgrade", (_, socket) => {
        fail(UNREADABLE_STATUS);
        socket.destroy();
      });
      request.on("response", (response) => {
        if (!gatewayModule().isFinalStatus(response.statusCode ?? 0)) return fail(UNREADABLE_STATUS);
        answer = response;
        systemClock.clearTimeout(slow);
        resolve(response);
      });
      if (body.whole) {
        // Head and body in one write.
        request.end(body.bytes);
      } else {
        let size = body.bytes.length;
        if (size > 0) request.write(body.bytes);
        source.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > this.#limits.maxBodyBytes) fail("the body is too large", "too-large");
        });
        source.pipe(request);
      }
    });
  }

  /** Closes all connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** The header that says how long the body is. It is made anew, whatever the client sent. */
function framing(method: string, { bytes, whole, declared }: Body): string[] {
  if (!whole)
    return declared === undefined ? ["Transfer-Encoding", "chunked"] : ["Content-Length", `${declared}`];
  const hasBody = bytes.length > 0 || method === "POST" || method === "PUT" || method === "PATCH";
  return hasBody ? ["Content-Length", `${bytes.length}`] : [];
}
