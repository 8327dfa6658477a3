// The chat handler checks its options when it is created.

import { type ChatHandlerOptions, createChatHandler } from "copilot-keyless/azure-functions";
import { expect, test } from "vitest";

test.each<[string, ChatHandlerOptions]>([
  ["limits.turns", { limits: { turns: 0 } }],
  ["limits.bodyBytes", { limits: { bodyBytes: 1.5 } }],
  ["limits.tokens", { limits: { tokens: 1 } as never }],
  ["limits.conversationsPerCaller", { limits: { conversationsPerCaller: -1 } }],
  ["limits", { limits: null as never }],
  ["options", null as never],
  ["options", 5 as never],
  ["caller", { caller: "ann" as never }],
  ["caller", { caller: null as never }],
  ["timeoutMs", { timeoutMs: Number.NaN }],
  ["client", { client: 5 as never }],
  ["session", { session: "x" as never }],
  ["session.tools", { session: { tools: {} } as never }],
  ["session.systemMessage", { session: { systemMessage: "x" } as never }],
  ["systemMessage", { systemMessage: { content: "x" } as never }],
  ["preset", { preset: "code" as never }],
  ["exposeErrors", { exposeErrors: 1 as never }],
  ["env", { env: null as never }],
  ["models", { models: "gpt-4o" as never }],
  ["models", { models: [null] as never }],
  ["models", { models: ["a", { name: "a" }] }],
  ["models", { models: [""] }],
  ["durable", { durable: {} as never }],
  ["durable.secret", { durable: { baseDirectory: "/tmp", secret: "short" } }],
])("a wrong option is told at once: %s", (name, options) => {
  expect(() => createChatHandler(options)).toThrow(
    expect.objectContaining({ code: "chat/invalid-option", message: expect.stringContaining(name) }),
  );
});
