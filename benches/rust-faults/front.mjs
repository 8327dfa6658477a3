// What the programs reach: Azurite and the emulator's model behind https, with tokens that can be
// revoked, and the identity endpoint behind a port that can be closed.

import { once } from "node:events";
import { request as plain } from "node:http";
import { Agent, createServer as createSecureServer, request as secure } from "node:https";
import { connect, createServer } from "node:net";

/** Blob Storage's answer to a token that it does not take. */
const REFUSED = {
  "www-authenticate":
    "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize resource_id=https://storage.azure.com",
  "x-ms-error-code": "InvalidAuthenticationInfo",
};

/** Starts the resources. `revoke()` revokes the tokens that have come so far. */
export async function startFront({ azurite, foundryUrl }) {
  const seen = new Set();
  let revoked = new Set();
  const agent = new Agent({ keepAlive: true, ca: azurite.cert });
  const server = createSecureServer({ key: azurite.key, cert: azurite.cert }, (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const token = headers.authorization;
    seen.add(token);
    if (revoked.has(token)) {
      incoming.resume();
      outgoing.writeHead(401, REFUSED).end();
      return;
    }
    const blob = url.startsWith("/devstoreaccount1/");
    const forwarded = blob
      ? secure({ host: "localhost", port: azurite.port, path: url, agent, method, headers })
      : plain(new URL(url, foundryUrl), { method, headers });
    forwarded.on("response", (answer) => {
      // Azurite answers 403 to a token that it does not take, Azure 401.
      const refused = blob && answer.statusCode === 403;
      outgoing.writeHead(refused ? 401 : answer.statusCode, {
        ...answer.headers,
        ...(refused ? REFUSED : {}),
      });
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `https://localhost:${server.address().port}`,
    revoke: () => {
      revoked = new Set(seen);
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
      agent.destroy();
    },
  };
}

/** Stands before a port of this machine. Closed, it refuses connections. */
export async function startRelay(target) {
  const sockets = new Set();
  let server;
  let port = 0;
  const open = async () => {
    server = createServer((socket) => {
      const other = connect(target, "127.0.0.1");
      for (const one of [socket, other]) {
        sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => {
          sockets.delete(one);
          socket.destroy();
          other.destroy();
        });
      }
      socket.pipe(other).pipe(socket);
    });
    await once(server.listen(port, "127.0.0.1"), "listening");
    port = server.address().port;
  };
  const close = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  await open();
  return { open, close, port };
}
