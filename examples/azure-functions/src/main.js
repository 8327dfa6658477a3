// The app's functions. Endpoint, model and credential come from the app settings: see README.md.

import { app } from "@azure/functions";
import { createChatHandler, createHealthHandler } from "copilot-keyless/azure-functions";

// Without it the host would collect each reply before it sends it.
app.setup({ enableHttpStream: true });

const models = process.env.CHAT_MODELS?.split(",").map((name) => name.trim());
const chat = createChatHandler({ models: models?.filter(Boolean) });

app.http("chat", { methods: ["POST"], authLevel: "function", handler: chat });
app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat) });
