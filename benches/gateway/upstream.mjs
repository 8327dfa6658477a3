// A resource that answers at once, or after some milliseconds: JSON, or events of which the first
// comes before the others. Prints its address.

import { createServer } from "node:http";

const waitMs = Number(process.argv[2] ?? 0);
const TEXT = "x".repeat(300);
const message = {
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: TEXT, annotations: [] }],
};
// LiteLLM reads answers, so they are whole ones.
const response = {
  id: "resp_1",
  object: "response",
  created_at: 1_700_000_000,
  status: "completed",
  model: "gpt-5.5",
  output: [message],
  parallel_tool_calls: true,
  tool_choice: "auto",
  tools: [],
  usage: { input_tokens: 75, output_tokens: 75, total_tokens: 150 },
};
const ANSWER = JSON.stringify(response);
const event = (type, more) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 1, ...more })}\n\n`;
const place = { item_id: "msg_1", output_index: 0, content_index: 0 };
const EVENT = event("response.output_text.delta", { ...place, delta: "x".repeat(40) });
const LAST = EVENT.repeat(5) + event("response.completed", { response });
const LATER_MS = 2;

const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, answer) => {
  const send = () => {
    if (request.headers.authorization !== "Bearer token-of-the-bench") {
      answer.writeHead(401).end();
    } else if (request.headers.accept === "text/event-stream") {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.write(EVENT);
      setTimeout(() => answer.end(LAST), LATER_MS);
    } else {
      answer.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length });
      answer.end(ANSWER);
    }
  };
  request.resume().on("end", () => (waitMs > 0 ? setTimeout(send, waitMs) : send()));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
