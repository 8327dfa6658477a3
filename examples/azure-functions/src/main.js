// Defines the app's functions. The app settings choose endpoint, model and credential: see
// README.md.

import { app } from "@azure/functions";
import { createChatHandler, createHealthHandler } from "copilot-keyless/azure-functions";

// Otherwise the host would buffer each reply.
app.setup({ enableHttpStream: true });

const models = process.env.CHAT_MODELS?.split(",").map((name) => name.trim());
const chat = createChatHandler({ models: models?.filter(Boolean) });

app.http("chat", { methods: ["POST"], authLevel: "function", handler: chat });
app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat) });
