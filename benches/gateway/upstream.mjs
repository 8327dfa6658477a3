// A resource that answers at once, or after some milliseconds: JSON, or events of which the first
// comes before the others. Prints its address.

import { createServer } from "node:http";

const waitMs = Number(process.argv[2] ?? 0);
const ANSWER = JSON.stringify({ id: "resp_1", status: "completed", output: "x".repeat(600) });
const EVENT = `event: response.output_text.delta\ndata: ${JSON.stringify({ delta: "x".repeat(40) })}\n\n`;
const LATER_MS = 2;

const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, response) => {
  const answer = () => {
    if (request.headers.authorization !== "Bearer token-of-the-bench") {
      response.writeHead(401).end();
    } else if (request.headers.accept === "text/event-stream") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(EVENT);
      setTimeout(() => response.end(EVENT.repeat(5)), LATER_MS);
    } else {
      response.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length });
      response.end(ANSWER);
    }
  };
  request.resume().on("end", () => (waitMs > 0 ? setTimeout(answer, waitMs) : answer()));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
