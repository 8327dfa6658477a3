// Sends requests to identity endpoints with `node:http`: with TLS rules that `fetch` has no settings
// for, and without TLS, to an endpoint of the host, where loading Node's `fetch` takes longer than
// all else. Goes through no proxy, and keeps no connection.

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { KeylessError } from "../errors/keyless-error.js";
import { systemClock } from "../platform/clock.js";
import { node } from "../platform/node.js";
import type { OutgoingRequest } from "../wasm/send.js";
import type { TlsRules } from "../wasm/types/identity.js";

type Answer = [status: number, body: string, ...headers: string[]];

/** Longer than any token response. The core refuses such a response. */
const MAX_BYTES = 256 * 1024;

/** The last certificate authorities that were read, by file: a file may be empty while it is rotated. */
const authorities = new Map<string, string>();

/**
 * Sends a request: `POST` with a body, else `GET`. Follows no redirect. Without a response the
 * status is 0 and the body is the network's error message. Without `rules`, the URL is one of
 * `http:`.
 *
 * @throws KeylessError `credential/unavailable` for rules without `node:tls`, `credential/configuration` for
 *   an unreadable certificate authority, `credential/network` for another certificate than the one
 *   of the thumbprint; when the signal aborts, its reason
 */
export async function sendByNode(
  request: OutgoingRequest,
  rules: TlsRules | undefined,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  signal?.throwIfAborted();
  if (rules && !(node.tls && node.http)) {
    throw new KeylessError(
      "credential/unavailable",
      "This source needs node:tls and node:http, which this platform does not have",
      { hint: "Run in Node, Deno or Bun, or pass another credential." },
    );
  }
  const ca = rules?.ca ?? (rules?.caFile === undefined ? undefined : readAuthority(rules.caFile));
  let socket: Socket | undefined;
  let timer: unknown;
  let onAbort = () => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    timer = systemClock.setTimeout(
      () => reject(new Error(`no response within ${Math.round(request.timeoutMs)} ms`)),
      request.timeoutMs,
    );
    onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort);
  });
  const exchange = async () => {
    socket = rules ? encrypted(request.url, rules, ca) : node.net.connect(addressOf(request.url, 80));
    if (rules) await secured(socket as TLSSocket, rules.thumbprint);
    return exchangeOn(socket, request);
  };
  const exchanged = exchange();
  // The deadline may come first; then the socket's error has no other listener.
  exchanged.catch(() => {});
  try {
    return await Promise.race([exchanged, stopped]);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof KeylessError) throw error;
    const { message, code } = error as { message?: unknown; code?: unknown };
    return [0, [message, code].filter((part) => typeof part === "string").join(": ")];
  } finally {
    systemClock.clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    socket?.destroy();
  }
}

function addressOf(url: string, defaultPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || defaultPort) };
}

function encrypted(url: string, { serverName, thumbprint }: TlsRules, ca: string | undefined): TLSSocket {
  const { host, port } = addressOf(url, 443);
  const name = serverName ?? (/^[\d.]+$|:/.test(host) ? undefined : host);
  return node.tls.connect({
    host,
    port,
    ...(name === undefined ? {} : { servername: name }),
    ...(ca === undefined ? {} : { ca }),
    ALPNProtocols: ["http/1.1"],
    // With a thumbprint the certificate is self-signed, and `secured` compares it.
    rejectUnauthorized: thumbprint === undefined,
  });
}

/** Resolves when the connection is encrypted and its certificate accepted: before a secret is sent. */
function secured(socket: TLSSocket, thumbprint: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once("secureConnect", () => {
      const actual = socket.getPeerCertificate()?.fingerprint?.replaceAll(":", "").toLowerCase();
      if (thumbprint === undefined || actual === thumbprint) return resolve();
      reject(
        new KeylessError(
          "credential/network",
          "The identity endpoint's certificate has another thumbprint than IDENTITY_SERVER_THUMBPRINT",
          {
            hint: "Restart the service: the cluster may have a new certificate. Else, look at what answers there.",
          },
        ),
      );
    });
  });
}

function exchangeOn(socket: Socket, request: OutgoingRequest): Promise<Answer> {
  const { url, headers, body } = request;
  const { host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = node.http.request(
      {
        createConnection: () => socket,
        method: body === undefined ? "GET" : "POST",
        path: `${pathname}${search}`,
        headers: {
          ...headers,
          host,
          ...(body === undefined ? {} : { "content-length": String(new TextEncoder().encode(body).length) }),
        },
      },
      (response) => {
        const { statusCode = 0, headers: received } = response;
        const flat = Object.entries(received).flatMap(([name, value]) => [name, String(value)]);
        let text = "";
        const finish = () => resolve([statusCode, text, ...flat]);
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          text += part;
          if (text.length >= MAX_BYTES) finish();
        });
        response.on("end", finish);
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Reads a certificate authority. An empty or missing file, as during a rotation, gives the last one. */
function readAuthority(path: string): string {
  let text = "";
  let cause: unknown;
  try {
    text = node.fs.readFileSync(path, "utf8");
  } catch (error) {
    cause = error;
  }
  if (text.trim() !== "") authorities.set(path, text);
  const authority = authorities.get(path);
  if (authority !== undefined) return authority;
  throw new KeylessError(
    "credential/configuration",
    `AZURE_KUBERNETES_CA_FILE ${cause ? "cannot be read" : "is empty"}: ${path}`,
    { hint: "The webhook of AKS mounts it into pods that use an identity binding.", cause },
  );
}
