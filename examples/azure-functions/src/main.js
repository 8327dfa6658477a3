// Defines the app's functions. The app settings choose endpoint, model and credential: see
// README.md.

import { app } from "@azure/functions";
import { createChatHandler, createHealthHandler } from "copilot-keyless/azure-functions";
import { blobConversations } from "copilot-keyless/blob-sessions";

// Otherwise the host would buffer each reply.
app.setup({ enableHttpStream: true });

const models = process.env.CHAT_MODELS?.split(",").map((name) => name.trim());
// Without it, a conversation ends with its instance.
const { CONVERSATIONS_ACCOUNT: account, CONVERSATIONS_CONTAINER: container } = process.env;
const conversations = account ? blobConversations({ account, container, expireAfterDays: 30 }) : undefined;
const chat = createChatHandler({ models: models?.filter(Boolean), conversations });

app.http("chat", { methods: ["POST"], authLevel: "function", handler: chat });
app.http("health", { methods: ["GET"], authLevel: "function", handler: createHealthHandler(chat) });
