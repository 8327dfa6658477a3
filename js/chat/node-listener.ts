import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A listener of `node:http`, which is also a handler of Express and Connect. */
export type NodeListener = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error: unknown) => void,
) => Promise<void>;

/** What frameworks add to a request. */
interface Extended extends IncomingMessage {
  /** The path before Express took the router's off. */
  originalUrl?: string;
  /** The body, if a parser has read it. */
  body?: unknown;
}

/**
 * Makes a handler of `Request` and `Response` a listener of `node:http`. The request's signal aborts
 * when the client disconnects; the reply waits for a slow reader; its head is sent at once. A body
 * that `express.json()` has read is passed on. An error of the handler goes to `next`, or is
 * answered 500.
 *
 * @example
 * ```ts
 * createServer(toNodeListener(chat)).listen(8080); // node:http
 * app.post("/chat", toNodeListener(chat)); // Express
 * ```
 */
export function toNodeListener(handler: (request: Request) => Response | Promise<Response>): NodeListener {
  return async (incoming, outgoing, next) => {
    // A Request refuses these.
    if (/^(CONNECT|TRACE|TRACK)$/i.test(incoming.method ?? "")) return void outgoing.writeHead(405).end();
    const left = new AbortController();
    const closed = ended(incoming, outgoing).then(() => {
      if (!outgoing.writableFinished) left.abort();
      // Drops a body that the handler left unread, so that the connection can be used again.
      incoming.removeAllListeners("readable").resume();
    });
    try {
      await send(await handler(requestOf(incoming, left.signal)), outgoing, closed);
    } catch (error) {
      if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy();
      else if (next) next(error);
      else outgoing.writeHead(500, { connection: "close" }).end();
    }
  };
}

/** Resolves when a response is complete, or its connection is closed. */
function ended({ socket }: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    // A response that waits for others of its connection does not emit `close` with it.
    const gone = closing(socket);
    const end = () => {
      gone.removeEventListener("abort", end);
      resolve();
    };
    gone.addEventListener("abort", end);
    outgoing.once("close", end);
    if (gone.aborted) end();
  });
}

const CLOSING = new WeakMap<Socket, AbortSignal>();

/** A signal that aborts when a connection closes. One listener serves all of its requests. */
function closing(socket: Socket): AbortSignal {
  const known = CLOSING.get(socket);
  if (known) return known;
  const controller = new AbortController();
  if (socket.destroyed) controller.abort();
  socket.once("close", () => controller.abort());
  CLOSING.set(socket, controller.signal);
  return controller.signal;
}

/** A host with or without a port: RFC 9110 allows no more, and a path in it would become the URL's. */
const HOST = /^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i;

function requestOf(incoming: Extended, signal: AbortSignal): Request {
  const { method = "GET", headers, url = "/", originalUrl = url } = incoming;
  const init = { method, headers: headersOf(incoming), signal };
  const host = HOST.test(headers.host ?? "") ? headers.host : "localhost";
  // A target may also be a whole URL: RFC 9112, section 3.2.2.
  const path = originalUrl.replace(/^https?:\/\/[^/?#]*/i, "");
  const target = path.startsWith("/") ? `http://${host}${path}` : "http://localhost/";
  if (method === "GET" || method === "HEAD") return new Request(target, init);
  const isRead = incoming.readableDidRead;
  const parsed = isRead ? textOf(incoming.body) : undefined;
  const body = parsed ?? (isRead ? new ReadableStream() : streamOf(incoming));
  const request = new Request(target, { ...init, ...{ body, duplex: "half" } } as RequestInit);
  // Somebody has read the body and not left it: let the handler say so.
  if (isRead && parsed === undefined) request.body?.cancel().catch(() => {});
  return request;
}

function headersOf({ headers }: IncomingMessage): Headers {
  const copy = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // HTTP/2 has the method and the path among its headers.
    if (name.startsWith(":")) continue;
    for (const one of Array.isArray(value) ? value : [value ?? ""]) copy.append(name, one);
  }
  return copy;
}

/** The text of a body that a parser has read. Undefined if the parser left none. */
function textOf(body: unknown): string | Uint8Array<ArrayBuffer> | undefined {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return new Uint8Array(body);
  return body === undefined ? undefined : JSON.stringify(body);
}

/**
 * The bytes of a request, as they are asked for. `read` joins small chunks: an object for each would
 * cost more than its bytes.
 */
function streamOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let wanted = false;
  let deliver = () => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        deliver = () => {
          const chunk: Buffer | null = wanted ? incoming.read() : null;
          if (!chunk) return;
          wanted = false;
          controller.enqueue(chunk);
        };
        incoming.on("readable", deliver);
        incoming.once("end", () => controller.close());
        incoming.once("error", (error) => controller.error(error));
      },
      pull() {
        wanted = true;
        deliver();
      },
      cancel: () => void incoming.destroy(),
    },
    { highWaterMark: 0 },
  );
}

async function send(response: Response, outgoing: ServerResponse, closed: Promise<void>): Promise<void> {
  const { status, headers, body } = response;
  if (outgoing.destroyed) return void body?.cancel().catch(() => {});
  for (const [name, value] of headers) outgoing.appendHeader(name, value);
  outgoing.writeHead(status);
  if (!body) return void outgoing.end();
  outgoing.flushHeaders();
  const reader = body.getReader();
  // Fails also while the client reads nothing.
  reader.closed.catch(() => outgoing.destroy());
  closed.then(() => reader.cancel()).catch(() => {});
  for (;;) {
    const { done, value } = await reader.read();
    if (outgoing.destroyed) return;
    if (done) return void outgoing.end();
    if (!outgoing.write(value)) await Promise.race([closed, drained(outgoing)]);
  }
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => outgoing.once("drain", resolve));
}
