// A chat server as a new user writes it: Express, one agent, a conversation for each key. Prints its port, then the time that the
// end took when it is told to end.

import express from "express";
import { ManagedIdentityCopilotAgent } from "copilot-keyless";

const agent = new ManagedIdentityCopilotAgent(JSON.parse(process.argv[2] ?? "{}"));
const conversations = new Map();

const app = express();
app.use(express.json());
app.post("/chat/:key", async (request, response) => {
  const { key } = request.params;
  if (!conversations.has(key)) conversations.set(key, agent.conversation());
  const left = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) left.abort();
  });
  try {
    for await (const text of conversations.get(key).stream(request.body.prompt, { signal: left.signal })) {
      response.write(text);
    }
    response.end();
  } catch (error) {
    const { code, message, hint } = error;
    if (response.headersSent) response.destroy();
    else response.status(500).json({ code, message, hint });
    process.send({ key, error: { code, message } });
  }
});
app.get("/ids", async (_request, response) => {
  const ids = {};
  for (const [key, conversation] of conversations) ids[key] = await conversation.sessionId;
  response.json(ids);
});

const server = app.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.once("message", async () => {
  const began = performance.now();
  await agent.close();
  process.send({ closedMs: performance.now() - began });
  server.close();
  server.closeAllConnections();
  process.disconnect();
});
