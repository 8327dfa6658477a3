// Stands between workers and Azurite, counts requests, and lets some of them fail.

import { createServer, request } from "node:https";

/** Starts it with Azurite's certificate. */
export async function startStorageProxy(azurite) {
  const proxy = { account: "", calls: [], bytes: 0, fault: () => undefined };
  const server = createServer({ key: azurite.key, cert: azurite.cert }, (incoming, outgoing) => {
    handle(proxy, azurite, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  proxy.account = `https://localhost:${server.address().port}/devstoreaccount1`;
  proxy.stop = () =>
    new Promise((stopped) => {
      server.closeAllConnections();
      server.close(() => stopped());
    });
  return proxy;
}

async function handle(proxy, { port, cert }, incoming, outgoing) {
  const pieces = [];
  for await (const piece of incoming) pieces.push(piece);
  const body = Buffer.concat(pieces);
  const call = callOf(incoming, body);
  proxy.calls.push(call);
  proxy.bytes += body.length;
  const { status, retryAfter, delayMs, loseAnswer } = proxy.fault(call) ?? {};
  if (delayMs !== undefined) await new Promise((next) => setTimeout(next, delayMs));
  if (status !== undefined) {
    outgoing.writeHead(status, retryAfter ? { "retry-after": String(retryAfter) } : {});
    outgoing.end();
    return;
  }
  const { method, url, headers } = incoming;
  const answer = await new Promise((resolve, reject) => {
    request({ host: "localhost", port, ca: cert, method, path: url, headers }, resolve)
      .on("error", reject)
      .end(body);
  });
  if (loseAnswer) {
    answer.resume();
    answer.once("end", () => incoming.socket.destroy());
    return;
  }
  outgoing.writeHead(answer.statusCode, answer.headers);
  answer.pipe(outgoing);
}

const APPENDED = { begin: "begin", end: "commit", void: "tell" };

/** What a request is for. */
function callOf({ method, url, headers }, body) {
  const action = headers["x-ms-lease-action"];
  if (action) return action;
  if (url.includes("comp=appendblock"))
    return APPENDED[/^\{"(\w+)"/.exec(body.toString("utf8", 0, 10))?.[1]] ?? "append";
  return { GET: "read", HEAD: "age", DELETE: "delete", PUT: "create" }[method] ?? "other";
}
