// Tests the edge handler on Node over real HTTP, through @hono/node-server, which replaces the
// platform's Request and Response with its own classes.

import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createEdgeChatHandler } from "copilot-keyless/edge";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect, test } from "vitest";

/** More than the sockets between the handler and its caller hold. */
const LONG = `${"x".repeat(4_000)} `.repeat(1_500);
const emulator = await startEmulator({
  chunkDelayMs: 0,
  reply: ({ prompt }) => (prompt === "At length" ? LONG : `You said: "${prompt}"`),
});
const chat = createEdgeChatHandler({
  env: emulator.env,
  authorize: "anonymous",
  limits: { stallMs: 300, bodyMs: 500 },
});
const server = serve({ fetch: chat, hostname: "127.0.0.1", port: 0 });
await once(server, "listening");
const { port } = server.address() as AddressInfo;
afterAll(async () => {
  chat.close();
  server.close();
  await emulator.stop();
});

function open(headers: Record<string, string> = {}): ClientRequest {
  return request({
    port,
    host: "127.0.0.1",
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", ...headers },
  });
}

async function answered(sent: ClientRequest): Promise<{ status: number | undefined; text: string }> {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}

const slots = () => expect.poll(() => chat.status().turns, { timeout: 5_000 });

test("a reply behind a server that replaces Request and Response", async () => {
  const sent = open();
  sent.end(JSON.stringify({ prompt: "Hello" }));
  expect(await answered(sent)).toEqual({ status: 200, text: expect.stringContaining("Hello") });
});

test("a reader who stops is cut off, and its slot is free", async () => {
  const sent = open({ accept: "text/event-stream" });
  sent.end(JSON.stringify({ prompt: "At length" }));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.pause();
  await slots().toBe(1);
  await slots().toBe(0);
  const cut = new Promise((done) => response.once("error", done));
  response.resume();
  expect(await cut).toMatchObject({ code: "ECONNRESET" });
  expect(response.complete).toBe(false);
});

test.each([{}, { accept: "text/event-stream" }])(
  "a caller that disconnects frees its slot at once: %j",
  async (headers) => {
    emulator.faults.add({ server: "foundry", kind: "hang" });
    const sent = open(headers as Record<string, string>);
    sent.on("error", () => {});
    sent.end(JSON.stringify({ prompt: "Hello" }));
    await slots().toBe(1);
    sent.destroy();
    await slots().toBe(0);
  },
);

test("a body that is too large, or too slow, is answered all the same", async () => {
  const giant = open();
  giant.end(JSON.stringify({ prompt: "x".repeat(3_000_000) }));
  expect(await answered(giant)).toEqual({
    status: 413,
    text: expect.stringContaining("chat/body-too-large"),
  });
  const slow = open({ "content-length": "100" });
  slow.on("error", () => {});
  slow.write("{");
  expect(await answered(slow)).toEqual({ status: 408, text: expect.stringContaining("chat/slow-request") });
  expect(chat.status().turns).toBe(0);
});
