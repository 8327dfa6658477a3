// Stands between the gateway and the emulator, and keeps a hash of every answer by the request's id,
// so that the bytes which a client received can be compared. Cuts answers that it is told to cut.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";

export const ID = "x-load-id";
export const CUT = "x-load-cut";

/** Starts it. `hashOf(id)` is the hash of the whole answer, or undefined if it was not sent whole. */
export async function startResource(to) {
  const { hostname, port } = new URL(to);
  const agent = new Agent({ keepAlive: true });
  const hashes = new Map();
  let cuts = 0;
  const server = createServer((incoming, outgoing) => {
    const { [ID]: id, [CUT]: cut, ...headers } = incoming.headers;
    const { method, url: path } = incoming;
    const sent = request({
      hostname,
      port,
      agent,
      method,
      path,
      headers: { ...headers, host: `${hostname}:${port}` },
    });
    const drop = () => {
      sent.destroy();
      outgoing.destroy();
    };
    sent.on("error", drop);
    outgoing.on("error", drop).on("close", () => outgoing.writableFinished || sent.destroy());
    sent.on("response", (response) => {
      const { statusCode, headers: answered } = response;
      outgoing.writeHead(statusCode, answered);
      const hash = createHash("sha256");
      let chunks = 0;
      response.on("error", drop);
      response.on("data", (chunk) => {
        hash.update(chunk);
        chunks += 1;
        if (cut !== undefined && statusCode === 200 && chunks === 3) {
          cuts += 1;
          // The chunk before is on its way.
          setImmediate(drop);
        }
      });
      // Before the client can have the last byte.
      response.on("end", () => hashes.set(id, hash.digest("hex")));
      response.pipe(outgoing);
    });
    incoming.pipe(sent);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Forgets the hash, so that memory stays flat. */
    takeHash(id) {
      const hash = hashes.get(id);
      hashes.delete(id);
      return hash;
    },
    get cuts() {
      return cuts;
    },
    close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}
