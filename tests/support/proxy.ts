import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a proxy does: it answers every request itself, or never, or nobody listens at its address. */
export type ProxyKind = 403 | 407 | 502 | "hang" | "dead";

const PAGE = "<html><title>Blocked by Contoso</title></html>";

/** Starts a proxy that lets nothing through. */
export async function startProxy(kind: ProxyKind): Promise<{ url: string; stop: () => void }> {
  const headers = { "content-type": "text/html", "proxy-authenticate": 'Basic realm="Contoso"' };
  const server = createServer((_request, response) => {
    if (typeof kind === "number") response.writeHead(kind, headers).end(PAGE);
  });
  server.on("connect", (_request, socket) => {
    if (typeof kind !== "number") return;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${kind} No\r\n${lines.join("")}content-length: ${PAGE.length}\r\n\r\n${PAGE}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://user:proxy-password-1@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  if (kind === "dead") stop();
  return { url, stop };
}
