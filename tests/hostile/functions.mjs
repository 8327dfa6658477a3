// The Functions handler, as an app for scripts/functions-host.mjs.

import { app } from "@azure/functions";
import { createChatHandler } from "copilot-keyless/azure-functions";
import { CALLER_HEADER, LIMITS, SERVER_HEADER, TOKENS, TURN_MS } from "./settings.mjs";

app.setup({ enableHttpStream: true });
const chat = createChatHandler({
  caller: async ({ headers }) => headers.get(CALLER_HEADER) ?? false,
  headers: { [SERVER_HEADER]: "functions" },
  limits: LIMITS,
  timeoutMs: TURN_MS.functions,
  tokens: TOKENS,
});
const all = ["GET", "POST", "PUT", "DELETE"];
app.http("chat", { methods: all, handler: chat });
app.http("status", { methods: ["GET"], handler: () => ({ jsonBody: chat.status() }) });
