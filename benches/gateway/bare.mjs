// The shortest proxy that Node allows: it knows one token, checks no key, and repeats nothing. Prints
// its address.

import { Agent, createServer, request } from "node:http";

const { hostname, port } = new URL(process.argv[2]);
const agent = new Agent({ keepAlive: true, noDelay: true });
const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, (incoming, outgoing) => {
  const { "api-key": _, ...headers } = incoming.headers;
  headers.authorization = "Bearer token-of-the-bench";
  headers.host = `${hostname}:${port}`;
  const sent = request({ hostname, port, agent, method: incoming.method, path: incoming.url, headers });
  sent.on("response", (response) => {
    outgoing.writeHead(response.statusCode, response.headers);
    response.pipe(outgoing);
  });
  sent.on("error", () => outgoing.destroy());
  outgoing.on("close", () => outgoing.writableFinished || sent.destroy());
  incoming.pipe(sent);
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
