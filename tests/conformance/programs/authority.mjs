// Emulates Microsoft Entra's token endpoint behind a proxy: all hosts lead to this server, which
// records every connection.
import { once } from "node:events";
import { createServer as createProxy } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import { selfSigned } from "./certificate.mjs";

/** Redirects this process's requests to any host. Answers plain http with 400. */
export async function startAuthority() {
  const hosts = [];
  const plain = [];
  const exchanges = [];
  const server = createServer(selfSigned(), async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    exchanges.push({ path: request.url, form: Object.fromEntries(new URLSearchParams(body)) });
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ token_type: "Bearer", expires_in: 3_599, access_token: "opaque-token-of-entra" }),
    );
  });
  const proxy = createProxy();
  proxy.on("connect", (request, socket) => {
    hosts.push(request.url);
    const through = connect(server.address().port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(through).pipe(socket);
    });
  });
  proxy.on("request", (request, response) => {
    plain.push(new URL(request.url).host);
    response.writeHead(400).end();
  });
  for (const one of [server, proxy]) {
    one.listen(0, "127.0.0.1");
    await once(one, "listening");
  }
  process.env.HTTPS_PROXY = `http://127.0.0.1:${proxy.address().port}`;
  process.env.NO_PROXY = "127.0.0.1";
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  return { hosts, plain, exchanges };
}
