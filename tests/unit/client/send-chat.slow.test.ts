// The client for browsers, against a real handler over real HTTP.

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { startEmulator } from "copilot-keyless/emulator";
import { createChatHandler, toNodeListener } from "copilot-keyless/http";
import { ChatError, type ChatReplyEvent, sendChat } from "copilot-keyless/http-client";
import { afterAll, expect, test } from "vitest";

const WORDS = Array.from({ length: 60 }, (_, index) => `word${index} `).join("");
/** Takes longer than the tests wait. */
const ENDLESS = "word ".repeat(10_000);
const TEXTS: Record<string, string> = { Slowly: WORDS, Endless: ENDLESS };
const emulator = await startEmulator({
  chunkDelayMs: 5,
  reply: ({ prompt, turn }) => TEXTS[prompt] ?? `Turn ${turn}: ä ${prompt}`,
});
afterAll(() => emulator.stop());

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/chat`, server };
}

async function serveChat(resumeMs: number) {
  const chat = createChatHandler({
    authorize: ({ headers }) => headers.get("authorization") ?? false,
    credential: "direct",
    env: emulator.env,
    resumeMs,
  });
  afterAll(() => chat.close({ drainMs: 0 }));
  return { chat, ...(await serve(toNodeListener(chat))) };
}

const [resumable, plain] = await Promise.all([serveChat(10_000), serveChat(0)]);
const headers = { authorization: "ann" };

/** The error of a loop, or undefined. */
async function errorOf(events: AsyncIterable<unknown>): Promise<ChatError | undefined> {
  try {
    for await (const _ of events);
    return undefined;
  } catch (error) {
    return error as ChatError;
  }
}

test("events, then texts alone, of one conversation", async () => {
  const first = sendChat(plain.url, { prompt: "Hello" }, { headers });
  const events: ChatReplyEvent[] = [];
  for await (const event of first) events.push(event);
  expect(events.at(-1)).toEqual({ type: "done", sessionId: first.sessionId, model: "gpt-5.5" });
  const second = sendChat(plain.url, { prompt: "again", sessionId: first.sessionId }, { headers });
  let text = "";
  for await (const piece of second.texts()) text += piece;
  expect(text).toBe("Turn 1: ä again");
  expect(second.sessionId).toBe(first.sessionId);
});

test("a lost connection is resumed, again and again, without a word lost", async () => {
  const asked = emulator.counts.foundry;
  let text = "";
  let pieces = 0;
  for await (const piece of sendChat(resumable.url, { prompt: "Slowly" }, { headers }).texts()) {
    text += piece;
    pieces += 1;
    if (pieces % 20 === 0 && pieces < 60) resumable.server.closeAllConnections();
  }
  expect(text).toBe(WORDS);
  expect(emulator.counts.foundry).toBe(asked + 1);
});

test.each([
  ["where the handler cannot resume", plain, 5],
  ["where the program wants none", resumable, 0],
])("a lost connection is an error: %s", async (_, { url, server }, reconnects) => {
  const reply = sendChat(url, { prompt: "Slowly" }, { headers, reconnects });
  const error = await errorOf(
    (async function* () {
      for await (const event of reply) {
        server.closeAllConnections();
        yield event;
      }
    })(),
  );
  expect(error).toBeInstanceOf(ChatError);
  expect(error).toMatchObject({ code: "client/network", status: undefined, retryable: true });
});

test.each([
  ["where the handler resumes", resumable],
  ["where it does not", plain],
])("an abort, and leaving the loop, end the turn at once: %s", async (_, { url, chat }) => {
  const stop = new AbortController();
  const aborted = sendChat(url, { prompt: "Endless" }, { headers, signal: stop.signal });
  await expect(
    (async () => {
      for await (const _ of aborted) stop.abort(new Error("enough"));
    })(),
  ).rejects.toThrow("enough");
  for await (const _ of sendChat(url, { prompt: "Endless" }, { headers })) break;
  // Long before resumeMs.
  await expect.poll(() => chat.status().turns, { timeout: 8_000 }).toBe(0);
  expect(emulator.requests.slice(-2).map((request) => request.aborted)).toEqual([true, true]);
});

test("an abort before the request sends none", async () => {
  const before = { ...emulator.counts };
  const signal = AbortSignal.abort(new Error("never mind"));
  const error = await errorOf(sendChat(plain.url, { prompt: "Hi" }, { headers, signal }));
  expect(error?.message).toBe("never mind");
  expect(emulator.counts).toEqual(before);
});

test("errors have the handler's code, and say whether to try again", async () => {
  expect(await errorOf(sendChat(plain.url, { prompt: "Hi" }))).toMatchObject({
    name: "ChatError",
    code: "chat/unauthorized",
    status: 401,
    hint: "Sign in first.",
    retryable: false,
    correlationId: expect.any(String),
  });
  emulator.faults.add({
    server: "foundry",
    kind: "status",
    status: 429,
    headers: { "retry-after": "77" },
    times: Number.POSITIVE_INFINITY,
  });
  const error = await errorOf(sendChat(plain.url, { prompt: "Hi" }, { headers }));
  emulator.faults.clear();
  expect(error).toMatchObject({
    code: "model/rate-limited",
    status: 503,
    retryable: true,
    retryAfterMs: 77_000,
  });
});

test("a page of a proxy, and a server that does not listen, are errors too", async () => {
  const { url, server } = await serve((_, response) => response.writeHead(502).end("<h1>Bad gateway</h1>"));
  expect(await errorOf(sendChat(url, { prompt: "Hi" }))).toMatchObject({
    code: "client/invalid-reply",
    status: 502,
  });
  server.close();
  server.closeAllConnections();
  expect(await errorOf(sendChat(url, { prompt: "Hi" }))).toMatchObject({ code: "client/network" });
});

test("a redirect is not followed: the headers are for the address that was given", async () => {
  const received: unknown[] = [];
  const other = await serve((request, response) => {
    received.push(request.headers.authorization);
    response.end();
  });
  const { url } = await serve((_request, response) => {
    response.writeHead(307, { location: other.url }).end();
  });
  expect(await errorOf(sendChat(url, { prompt: "Hi" }, { headers }))).toMatchObject({
    code: "client/invalid-reply",
    status: 307,
    message: expect.stringContaining("Redirects are not followed"),
  });
  expect(received).toEqual([]);
});
