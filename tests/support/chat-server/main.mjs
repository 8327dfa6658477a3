// Serves a chat on a free port, until it is ended: `node main.mjs <adapter> <options as JSON>`. The
// adapter `edge` has the handler without a runtime.
//
// The caller is the header x-test-caller; `broken` and `nobody` are special.

import { createEdgeChatHandler } from "copilot-keyless/edge";
import { createChatHandler, createHealthHandler } from "copilot-keyless/http";
import { adapters } from "./adapters.mjs";

const [name = "node", options = "{}"] = process.argv.slice(2);
const create = name === "edge" ? createEdgeChatHandler : createChatHandler;
const chat = create({
  ...JSON.parse(options),
  authorize: ({ headers }) => {
    const caller = headers.get("x-test-caller") ?? "anybody";
    if (caller === "broken") throw new Error("password=hunter2 is wrong");
    return caller === "nobody" ? false : caller;
  },
  onLog: (entry) => console.log(JSON.stringify(entry)),
});
const server = await (adapters[name] ?? adapters.fetch)(chat, createHealthHandler(chat));
if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
console.log(`listening http://127.0.0.1:${server.address().port}`);

process.once("SIGTERM", async () => {
  // Until the running turns have ended, others are told to ask elsewhere, and so is the health check.
  await chat.close();
  server.close();
  server.closeAllConnections();
});
