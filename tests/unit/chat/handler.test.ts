// The chat handler for every server: its options, Next.js's form of it, and the listener for Node.

import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { startEmulator } from "copilot-keyless/emulator";
import {
  type ChatHandlerOptions,
  createChatHandler,
  createHealthHandler,
  toNodeListener,
} from "copilot-keyless/http";
import { sendChat } from "copilot-keyless/http-client";
import express from "express";
import { afterAll, afterEach, describe, expect, test } from "vitest";

const emulator = await startEmulator({ chunkDelayMs: 0 });
afterAll(() => emulator.stop());
const chat = createChatHandler({ authorize: "anonymous", credential: "direct", env: emulator.env });
afterAll(() => chat.close({ drainMs: 0 }));

const ENDPOINT = "https://myres.openai.azure.com";
const JSON_HEADERS = { "content-type": "application/json" };
const asking = (body: string) => ({ method: "POST", headers: JSON_HEADERS, body });

test.each<[string, ChatHandlerOptions]>([
  ["authorize", {} as never],
  ["authorize", { authorize: "anyone" as never }],
  ["authorize", { authorize: null as never }],
  ["caller", { authorize: "anonymous", caller: () => "ann" } as never],
  ["stateless", { authorize: "anonymous", stateless: true } as never],
  ["resumeMs", { authorize: "anonymous", resumeMs: -1 }],
  ["resumeMs", { authorize: "anonymous", resumeMs: 2 ** 31 }],
  ["limits.resumeEvents", { authorize: "anonymous", limits: { resumeEvents: 0 } }],
  ["onLog", { authorize: "anonymous", onLog: {} as never }],
])("a wrong option is told at once: %s", (name, options) => {
  expect(() => createChatHandler(options)).toThrow(
    expect.objectContaining({ code: "chat/invalid-option", message: expect.stringContaining(name) }),
  );
});

test("something else than a Request is told, with the way to wrap it", async () => {
  await expect(chat({} as never)).rejects.toMatchObject({
    code: "chat/invalid-option",
    hint: expect.stringContaining("toNodeListener"),
  });
});

test("a route handler of Next.js is the handler itself: Request in, Response out", async () => {
  const { POST, GET } = { POST: chat, GET: createHealthHandler(chat) };
  const response = await POST(new Request("http://x/api/chat", asking('{"prompt":"Hello"}')));
  expect(await response.json()).toMatchObject({
    reply: expect.stringContaining("Hello"),
    sessionId: expect.any(String),
  });
  const health = GET(new Request("http://x/api/health"));
  expect([health.status, await health.json()]).toEqual([
    200,
    expect.objectContaining({ state: "open", started: true, turns: 0, conversations: 1 }),
  ]);
});

test("a closed handler answers 503, and a second close ends the wait of the first", async () => {
  const closing = createChatHandler({ authorize: () => new Promise<never>(() => {}), endpoint: ENDPOINT });
  const held = closing(new Request("http://x", asking('{"prompt":"Hi"}')));
  const first = closing.close({ drainMs: 60_000 });
  expect(closing.status()).toMatchObject({ state: "closing", healthy: false, turns: 1 });
  const refused = await closing(new Request("http://x", asking('{"prompt":"Hi"}')));
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, "chat/closing"]);
  await closing.close({ drainMs: 0 });
  await first;
  expect(closing.status()).toMatchObject({ state: "closed", healthy: false });
  void held;
});

test.each([
  ["sesionId", "Did you mean sessionId? "],
  ["messages", ""],
  ["x".repeat(100), ""],
])("an unknown field of the body is refused: %s", async (name, guess) => {
  const body = JSON.stringify({ prompt: "Hi", [name]: "1" });
  const response = await chat(new Request("http://x", asking(body)));
  expect([response.status, await response.json()]).toEqual([
    400,
    expect.objectContaining({
      code: "chat/invalid-request",
      detail: `The body needs no field ${name.slice(0, 40)}`,
      hint: `${guess}The fields are prompt, sessionId, model.`,
    }),
  ]);
});

test("a reply that drainMs cuts off says so", async () => {
  const slow = await startEmulator({ chunkDelayMs: 50, reply: () => "word ".repeat(500) });
  const handler = createChatHandler({ authorize: "anonymous", credential: "direct", env: slow.env });
  try {
    const init = asking('{"prompt":"Hi"}');
    const streamed = await handler(
      new Request("http://x", { ...init, headers: { ...JSON_HEADERS, accept: "text/event-stream" } }),
    );
    const whole = handler(new Request("http://x", init));
    const events = streamed.text();
    await expect.poll(() => handler.status().turns).toBe(2);
    await handler.close({ drainMs: 0 });
    expect(await events).toContain('"code":"chat/closing","detail":"The reply was cut off');
    const response = await whole;
    expect([response.status, response.headers.get("retry-after"), await response.json()]).toEqual([
      503,
      "5",
      expect.objectContaining({ code: "chat/closing", retryable: true }),
    ]);
  } finally {
    await slow.stop();
  }
});

describe("the listener for Node", () => {
  const cleanUp: (() => void)[] = [];
  afterEach(() => {
    for (const step of cleanUp.splice(0)) step();
  });

  async function serve(listener: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanUp.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const echo = async (request: Request) =>
    new Response(JSON.stringify([request.method, new URL(request.url).pathname, await request.text()]), {
      status: 201,
      headers: [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x-seen", request.headers.get("x-sent") ?? ""],
      ],
    });

  test("passes on the method, the path, headers and the body, and sends the answer as it is", async () => {
    const url = await serve(toNodeListener(echo));
    const body = "ä".repeat(300_000);
    const response = await fetch(`${url}/a/b?c`, { method: "PUT", headers: { "x-sent": "yes" }, body });
    expect([response.status, response.headers.get("x-seen"), response.headers.getSetCookie()]).toEqual([
      201,
      "yes",
      ["a=1", "b=2"],
    ]);
    expect(await response.json()).toEqual(["PUT", "/a/b", body]);
    expect(await (await fetch(url)).json()).toEqual(["GET", "/", ""]);
  });

  test("keeps Express's whole path, and takes the body from its parsers", async () => {
    const app = express();
    const router = express.Router();
    router.post("/json", express.json(), toNodeListener(echo));
    router.post("/text", express.text(), toNodeListener(echo));
    router.post("/raw", express.raw(), toNodeListener(echo));
    router.post("/unread", express.json(), toNodeListener(echo));
    app.use("/api", router);
    const url = await serve(app);
    const send = async (path: string, type: string) =>
      (
        await fetch(`${url}/api/${path}`, {
          method: "POST",
          headers: { "content-type": type },
          body: '{"a":1}',
        })
      ).json();
    expect(await send("json", "application/json")).toEqual(["POST", "/api/json", '{"a":1}']);
    expect(await send("text", "text/plain")).toEqual(["POST", "/api/text", '{"a":1}']);
    expect(await send("raw", "application/octet-stream")).toEqual(["POST", "/api/raw", '{"a":1}']);
    expect(await send("unread", "text/plain")).toEqual(["POST", "/api/unread", '{"a":1}']);
  });

  test("a body that something has read and not left is told by the chat handler", async () => {
    const listener = toNodeListener(chat);
    const url = await serve(async (request, response) => {
      for await (const _ of request);
      await listener(request, response);
    });
    const response = await fetch(url, asking('{"prompt":"Hi"}'));
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      500,
      "chat/body-used",
    ]);
  });

  test("a chat behind express.json()", async () => {
    const app = express();
    app.use(express.json());
    app.post("/chat", toNodeListener(chat));
    const response = await fetch(`${await serve(app)}/chat`, asking('{"prompt":"Parsed"}'));
    expect(await response.json()).toMatchObject({ reply: expect.stringContaining("Parsed") });
  });

  test("a chat behind plain Node, by the client for browsers", async () => {
    const url = await serve(toNodeListener(chat));
    const reply = sendChat(url, { prompt: "Streamed" });
    let text = "";
    for await (const piece of reply.texts()) text += piece;
    expect([text, reply.sessionId]).toEqual([expect.stringContaining("Streamed"), expect.any(String)]);
  });

  test("an error of a handler is Express's to answer, or a 500", async () => {
    const fails = toNodeListener(() => {
      throw new Error("of the handler");
    });
    const app = express();
    app.get("/", fails);
    app.use(((error, _request, response, _next) => {
      response.status(418).send(error.message);
    }) as express.ErrorRequestHandler);
    const response = await fetch(await serve(app));
    expect([response.status, await response.text()]).toEqual([418, "of the handler"]);
    const plain = await fetch(await serve(fails));
    expect([plain.status, await plain.text()]).toEqual([500, ""]);
  });

  test("an error in mid-stream closes the connection", async () => {
    let fail: (error: Error) => void = () => {};
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("a beginning"));
        fail = (error) => controller.error(error);
      },
    });
    const response = await fetch(await serve(toNodeListener(() => new Response(body))));
    fail(new Error("of the stream"));
    await expect(response.text()).rejects.toThrow("terminated");
  });

  test("aborts the request's signal, and cancels the answer, when the client leaves", async () => {
    const reached: string[] = [];
    const url = await serve(
      toNodeListener(({ signal }) => {
        signal.addEventListener("abort", () => reached.push("signal"));
        return new Response(new ReadableStream({ cancel: () => void reached.push("cancel") }));
      }),
    );
    const stop = new AbortController();
    await fetch(url, { signal: stop.signal });
    stop.abort();
    await expect.poll(() => reached.toSorted()).toEqual(["cancel", "signal"]);
  });

  test("aborts requests of a connection whose replies wait for an earlier one", async () => {
    let asked = 0;
    let aborted = 0;
    const listener = toNodeListener(({ signal }) => {
      asked += 1;
      signal.addEventListener("abort", () => (aborted += 1));
      return new Response(new ReadableStream());
    });
    const { port } = new URL(await serve(listener));
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20));
    await expect.poll(() => asked).toBe(20);
    socket.destroy();
    await expect.poll(() => aborted).toBe(20);
  });

  test("a connection is used again after a body that the handler left unread", async () => {
    const url = await serve(toNodeListener(() => new Response("enough")));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<unknown>();
    for (let count = 0; count < 3; count += 1) {
      const sent = request(url, { method: "POST", agent });
      sent.once("socket", (socket) => sockets.add(socket));
      sent.end("x".repeat(500_000));
      const [response] = await once(sent, "response");
      response.resume();
      await once(response, "end");
      await new Promise(setImmediate);
    }
    agent.destroy();
    expect(sockets.size).toBe(1);
  });

  test.each(["TRACE", "PURGE"])("a method that Request refuses, or does not know: %s", async (method) => {
    const url = await serve(toNodeListener(chat));
    const sent = request(url, { method });
    sent.end();
    const [response] = await once(sent, "response");
    expect(response.statusCode).toBe(405);
    response.resume();
  });

  test.each([
    ["a b", "/path"],
    ["x:y:z", "/path"],
    ["", "/path"],
    ["x/admin?", "/path"],
    ["127.0.0.1", "http://other/path?x"],
  ])("a strange host header or target leaves the path: %j %j", async (host, path) => {
    const url = await serve(toNodeListener(echo));
    const sent = request(url, { path, headers: { host } });
    sent.end();
    const [response] = await once(sent, "response");
    expect(response.statusCode).toBe(201);
    expect(JSON.parse(await text(response))[1]).toBe("/path");
  });
});
