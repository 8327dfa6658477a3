// A resource that does at random what resources do at their worst.

import { once } from "node:events";
import { createServer } from "node:http";

const REJECTED =
  '{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired."}';
const refusal = { "content-type": "application/json" };

/** What becomes of a request, by name. */
export const WAYS = {
  answers: (_, answer) => answer.end("{}"),
  streams(_, answer) {
    answer.writeHead(200, { "content-type": "text/event-stream" });
    let left = 5;
    const timer = setInterval(() => {
      answer.write("data: 1\n\n");
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      answer.end();
    }, 2);
    answer.once("close", () => clearInterval(timer));
  },
  "answers at length": (_, answer) => answer.end(Buffer.alloc(3_000_000)),
  "never answers": () => {},
  "never ends": (_, answer) => answer.write("data: 1\n\n"),
  "breaks off": (_, answer) => answer.write("data: 1\n\n", () => answer.destroy()),
  "breaks off before": (request) => request.socket.destroy(),
  resets: (request) => request.socket.resetAndDestroy(),
  "ends too early": (_, answer) =>
    answer.writeHead(200, { "content-length": 100 }).write("x", () => answer.socket?.end()),
  "is unreadable": (request) =>
    request.socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz"),
  "is no HTTP": (request) => request.socket.write("HTTP/9 odd\r\n\r\n"),
  "says more than it must": (request) =>
    request.socket.write(
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    ),
  "closes after": (_, answer) => answer.writeHead(200, { connection: "close" }).end("{}"),
  "closes idle ones": (request, answer) =>
    answer.end("{}", () => setImmediate(() => request.socket.destroy())),
  redirects: (_, answer) => answer.writeHead(302, { location: "http://elsewhere.example/" }).write("x"),
  "redirects and ends": (_, answer) =>
    answer.writeHead(302, { location: "http://elsewhere.example/" }).end("x"),
  "is at its quota": (_, answer) => answer.writeHead(429, { "retry-after": "1" }).end("{}"),
  fails: (_, answer) => answer.writeHead(500, refusal).end("{}"),
  refuses: (_, answer) => answer.writeHead(403, refusal).end("{}"),
  "refuses and falls silent": (_, answer) => answer.writeHead(403, refusal).write("{"),
  "refuses and breaks off": (_, answer) => answer.writeHead(400, refusal).write("{", () => answer.destroy()),
  "refuses at length": (_, answer) => answer.writeHead(400, refusal).end("x".repeat(300_000)),
  "refuses and goes on": (_, answer) => answer.writeHead(400, refusal).write("x".repeat(300_000)),
  "rejects the token": (_, answer) => answer.writeHead(401, refusal).end(REJECTED),
  "rejects the token and falls silent": (_, answer) => answer.writeHead(401, refusal).write(REJECTED),
  "has no content": (_, answer) => answer.writeHead(204).end(),
  continues(_, answer) {
    answer.writeContinue();
    answer.writeEarlyHints({ link: "</a>; rel=preload" });
    answer.end("{}");
  },
  upgrades: (request) =>
    request.socket.write("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"),
};

/**
 * Starts it. A request names its way in `x-way`. With `x-early` the answer comes before the body is
 * there; with `x-once`, a value of its own, its first token is rejected.
 */
export async function startResource() {
  const open = new Set();
  const rejected = new Set();
  const server = createServer((request, answer) => {
    request.on("error", () => {});
    answer.on("error", () => {});
    const { "x-way": way, "x-early": isEarly, "x-once": once } = request.headers;
    const rejects = once !== undefined && !rejected.has(once);
    rejected.add(once);
    const go = () => WAYS[rejects ? "rejects the token" : way](request, answer);
    if (isEarly) go();
    request.resume().once("end", () => isEarly || go());
  });
  server.keepAliveTimeout = 60_000;
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    open.add(socket.once("close", () => open.delete(socket)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/openai/v1/`,
    /** Connections that the gateway has left open. */
    get open() {
      return open.size;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
