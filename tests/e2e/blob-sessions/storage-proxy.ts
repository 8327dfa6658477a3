import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Azurite } from "../../support/azurite.mjs";

/** A request to the storage, in short: `acquire`, `begin`, `read`, `commit` and so on. */
export type StorageCall =
  | "create"
  | "acquire"
  | "renew"
  | "release"
  | "begin"
  | "commit"
  | "tell"
  | "append"
  | "read"
  | "age"
  | "delete"
  | "other";

/** What becomes of a request: an answer in place of the storage's, a wait before it, or a lost answer. */
export type StorageFault =
  | { status: number; retryAfter?: number }
  | { delayMs: number }
  | { loseAnswer: true }
  | undefined;

/** Stands between the workers and Azurite. */
export interface StorageProxy {
  account: string;
  /** The requests so far, in order. */
  calls: StorageCall[];
  /** The bytes that the workers sent. */
  bytes: number;
  /** Chooses what becomes of each request. */
  fault: (call: StorageCall) => StorageFault;
  stop(): Promise<void>;
}

/** Starts a proxy with Azurite's certificate. */
export async function startStorageProxy(azurite: Azurite): Promise<StorageProxy> {
  const proxy: StorageProxy = {
    account: "",
    calls: [],
    bytes: 0,
    fault: () => undefined,
    stop: () =>
      new Promise((stopped) => {
        server.closeAllConnections();
        server.close(() => stopped());
      }),
  };
  const server: Server = createServer({ key: azurite.key, cert: azurite.cert }, (incoming, outgoing) => {
    void handle(proxy, azurite, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  proxy.account = `https://localhost:${port}/devstoreaccount1`;
  return proxy;
}

async function handle(
  proxy: StorageProxy,
  { port, cert }: Azurite,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const call = callOf(incoming, body);
  proxy.calls.push(call);
  proxy.bytes += body.length;
  const fault = proxy.fault(call);
  if (fault && "delayMs" in fault) await new Promise((next) => setTimeout(next, fault.delayMs));
  if (fault && "status" in fault) {
    outgoing.writeHead(fault.status, fault.retryAfter ? { "retry-after": String(fault.retryAfter) } : {});
    outgoing.end();
    return;
  }
  const { method, url, headers } = incoming;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: "localhost", port, ca: cert, method, path: url, headers }, resolve)
      .on("error", reject)
      .end(body);
  });
  if (fault && "loseAnswer" in fault) {
    answer.resume();
    answer.once("end", () => incoming.socket.destroy());
    return;
  }
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.pipe(outgoing);
}

function callOf({ method, url = "", headers }: IncomingMessage, body: Buffer): StorageCall {
  const action = headers["x-ms-lease-action"];
  if (action === "acquire" || action === "renew" || action === "release") return action;
  if (url.includes("comp=appendblock")) {
    const [, kind] = /^\{"(begin|end|void)"/.exec(body.toString("utf8", 0, 10)) ?? [];
    return kind === "begin" ? "begin" : kind === "end" ? "commit" : kind === "void" ? "tell" : "append";
  }
  if (method === "GET") return "read";
  if (method === "HEAD") return "age";
  if (method === "DELETE") return "delete";
  return method === "PUT" ? "create" : "other";
}
