// A chat server as a new user writes it: Express, one agent, a conversation for each key. Sends its
// parent the port, and how long a requested close took.

import { FoundryAgent } from "copilot-keyless";
import express from "express";

const agent = new FoundryAgent(JSON.parse(process.argv[2]));
const conversations = new Map();

const app = express();
app.use(express.json());
app.post("/chat/:key", async (request, response) => {
  const { key } = request.params;
  if (!conversations.has(key)) conversations.set(key, agent.conversation());
  const left = new AbortController();
  response.on("close", () => left.abort());
  try {
    const { prompt } = request.body;
    for await (const text of conversations.get(key).stream(prompt, { signal: left.signal }))
      response.write(text);
    response.end();
  } catch ({ code, message }) {
    if (response.headersSent) response.destroy();
    else response.status(500).json({ code, message });
  }
});

const server = app.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.once("message", async () => {
  const began = performance.now();
  await agent.close();
  process.send({ closedMs: Math.round(performance.now() - began) });
});
