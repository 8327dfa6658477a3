// Serves the edge handler over real HTTP in a process of its own: `/chat`, and `/cut`, whose
// streams from the model are cut.

import { serve } from "@hono/node-server";
import { createEdgeChatHandler } from "copilot-keyless/edge";
import { CALLER_HEADER, LIMITS, Log, SERVER_HEADER, TOKENS, TURN_MS } from "./settings.mjs";

const log = new Log();
const handler = (name) =>
  createEdgeChatHandler({
    authorize: async ({ headers }) => headers.get(CALLER_HEADER) ?? false,
    headers: { [SERVER_HEADER]: name },
    limits: LIMITS,
    onLog: (entry) => log.entry(entry),
    timeoutMs: TURN_MS.edge,
    tokens: TOKENS,
  });
const chats = { "/chat": handler("edge"), "/cut": handler("cut") };

const server = serve({ hostname: "127.0.0.1", port: 0, fetch }, ({ port }) => {
  console.log(`listening http://127.0.0.1:${port}`);
});
process.on("SIGTERM", () => {
  for (const chat of Object.values(chats)) chat.close();
  server.close();
  server.closeAllConnections();
});

function fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname in chats) return chats[pathname](request);
  const [chat, cut] = Object.values(chats).map((one) => one.status());
  return Response.json({ turns: chat.turns + cut.turns, log: log.counts });
}
