import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Hono } from "hono";
import { WebSocketServer } from "ws";
import type { AppEnv, Upgrade } from "./http.js";

/** The largest message, in bytes. */
const LARGEST_MESSAGE = 20 * 1024 * 1024;
/** Set by {@link RESPONSE_ALREADY_SENT}: a fault used the socket itself. */
const [[ALREADY_SENT]] = [...RESPONSE_ALREADY_SENT.headers] as [[string, string]];

/**
 * Lets an app open WebSockets. Returns a function that closes them.
 *
 * Node gives every request with `Connection: Upgrade` to this listener, also those that ask for
 * HTTP/2 (`h2c`), as Java's client does. They go back to the server, without the wish.
 */
export function acceptUpgrades(server: Server, app: Hono<AppEnv>): () => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_MESSAGE });
  // The server forgets the connections that it gave away.
  const connections = new Set<Duplex>();
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (incoming.headers.upgrade?.toLowerCase() !== "websocket") {
      socket.unshift(Buffer.concat([headOf(incoming), head]));
      server.emit("connection", socket);
      return;
    }
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    socket.on("error", () => socket.destroy());
    open(app, sockets, incoming, socket, head).catch(() => socket.destroy());
  });
  return () => {
    for (const connection of connections) connection.destroy();
    sockets.close();
  };
}

async function open(
  app: Hono<AppEnv>,
  sockets: WebSocketServer,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const upgrade: Upgrade = { onOpen: undefined };
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
  const url = `http://${incoming.headers.host ?? "127.0.0.1"}${incoming.url ?? "/"}`;
  const request = new Request(url, { headers: headers as [string, string][] });
  // The handlers ask the socket what they would ask a response: whether it is destroyed or finished.
  const outgoing = socket as unknown as ServerResponse;
  const response = await app.fetch(request, { incoming, outgoing, upgrade });
  if (socket.destroyed || response.headers.has(ALREADY_SENT)) return;
  const { onOpen } = upgrade;
  if (onOpen) {
    const own = [...response.headers].map(([name, value]) => `${name}: ${value}`);
    const add = (lines: string[]) => void lines.push(...own);
    sockets.once("headers", add);
    sockets.handleUpgrade(incoming, socket, head, onOpen);
    // A handshake that is refused asks for no headers.
    sockets.removeListener("headers", add);
    return;
  }
  const body = Buffer.from(await response.arrayBuffer());
  const lines = [...response.headers]
    .filter(([name]) => name !== "transfer-encoding" && name !== "content-length")
    .map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`;
  const answer = [status, ...lines, "connection: close", `content-length: ${body.length}`, "", ""];
  socket.end(Buffer.concat([Buffer.from(answer.join("\r\n")), body]));
}

/** Writes the head of a request again, without the headers of an upgrade. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (!/^(connection|upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}
