// Gateways and raw connections for the tests.

import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  request,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import type { TokenProvider } from "copilot-keyless";
import {
  createGateway,
  type Gateway,
  type GatewayAccess,
  type GatewayOptions,
} from "copilot-keyless/gateway";
import { onTestFinished } from "vitest";

export const KEY = "key-of-the-tests-1";

/** A token function of the program's own, which has none of a provider's methods. */
export function tokenFunction(token: () => string): TokenProvider {
  return (async () => token()) as unknown as TokenProvider;
}

/**
 * Headers to compare with others: as they are; those that hyper sent without their case, their order
 * and the `Connection` that HTTP/1.1 assumes.
 */
export function comparable(rawHeaders: readonly string[]): unknown {
  if (!isNative()) return rawHeaders;
  const lines = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[at + 1]}`] : [],
  );
  return lines.filter((line) => line !== "connection: keep-alive").toSorted();
}

/** What the tests need of a gateway. */
export type Running = Pick<Gateway, "url" | "port" | "key" | "close" | "active">;

/** How gateways are made: {@link createGateway}, unless a file of tests sets another. */
let make: (options: GatewayOptions & { key: string | undefined }) => Promise<Running> = createGateway;
let kind: "node" | "edge" | "native" = "node";

/** Makes the tests of this file use other gateways. */
export function useGateways(other: typeof make, ofKind: typeof kind): void {
  make = other;
  kind = ofKind;
}

/** Whether the gateways work with connections, not with `fetch`. */
export const hasConnections = (): boolean => kind !== "edge";

/** Whether they are the native ones, which are processes. */
export const isNative = (): boolean => kind === "native";

/** A gateway that is closed after the test, and its access log. */
export async function gatewayTo(
  endpoint: string,
  options: GatewayOptions = {},
): Promise<{ gateway: Running; log: GatewayAccess[] }> {
  const log: GatewayAccess[] = [];
  const gateway = await make({
    endpoint,
    key: KEY,
    env: {},
    tokens: tokenFunction(() => "token-of-the-tests"),
    onAccess: (entry) => log.push(entry),
    ...options,
    limits: { closeMs: 1, ...options.limits },
  });
  onTestFinished(() => gateway.close());
  return { gateway, log };
}

/** A resource of the test's own. Returns the endpoint. */
export async function resource(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/openai/v1/`;
}

/** Begins a request with the key. */
export function open(
  { port }: Running,
  path: string,
  {
    method = "POST",
    headers = {},
  }: { method?: string; headers?: OutgoingHttpHeaders | readonly string[] } = {},
): ClientRequest {
  const all = Array.isArray(headers)
    ? ["host", `127.0.0.1:${port}`, "api-key", KEY, ...headers]
    : { "api-key": KEY, ...headers };
  return request({
    host: "127.0.0.1",
    port,
    path,
    method,
    headers: all as OutgoingHttpHeaders,
    agent: false,
  });
}

export interface Answered {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
}

export async function answered(sent: ClientRequest): Promise<Answered> {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

/** Sends a request with a body, and returns the whole answer. */
export function send(gateway: Running, path: string, body = "{}", headers: OutgoingHttpHeaders = {}) {
  const sent = open(gateway, path, { headers: { "content-type": "application/json", ...headers } });
  sent.end(body);
  return answered(sent);
}

/** Sends bytes as they are, and returns all that comes back until the connection is closed. */
export async function raw({ port }: Running, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(bytes, "latin1");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  await once(socket, "close");
  return received;
}
