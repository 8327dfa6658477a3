// Tests the Responses API over WebSocket with OpenAI's own client, and its handshake.

import { connect } from "node:net";
import OpenAI from "openai";
import { ResponsesWS } from "openai/resources/responses/ws";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Emulator } from "../../../js/emulator.js";
import { start, tokenFor, until } from "./support.js";

// biome-ignore lint/suspicious/noExplicitAny: events are compared field by field.
type Event = any;

const BODY = { model: "gpt-5.5", input: "hello" };

/** Opens a connection. `turn` sends a request and resolves with its events, to the last one. */
async function open(emulator: Emulator) {
  const apiKey = await tokenFor(emulator);
  const openai = new OpenAI({ baseURL: `${emulator.foundry.url}/openai/v1`, apiKey });
  const socket = new ResponsesWS(openai);
  const received: Event[] = [];
  // The client reports an `error` event as an error, too.
  socket.on("error", () => {});
  socket.on("event", (event: Event) => received.push(event));
  const turn = async (request: object): Promise<Event[]> => {
    received.length = 0;
    socket.send({ type: "response.create", ...BODY, ...request } as never);
    await until(() => /^(error|response\.(completed|incomplete|failed))$/.test(received.at(-1)?.type));
    return [...received];
  };
  return { socket, turn, received };
}

const textOf = (events: Event[]) => events.at(-1).response.output[0].content[0].text;

test("turns on one connection continue each other, with the new items alone", async () => {
  const emulator = await start({
    reply: ({ prompt, messages }) => `${prompt}: ${messages.map(({ text }) => text).join("|")}`,
  });
  const { socket, turn } = await open(emulator);
  const first = await turn({ input: "one" });
  expect(first.map(({ type }) => type)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(textOf(first)).toBe("one: one");
  const { id } = first.at(-1).response;
  const second = await turn({ input: "two", previous_response_id: id });
  expect(textOf(second)).toBe("two: one|one: one|two");
  expect(second.at(-1).response.previous_response_id).toBe(id);
  // Only the last response is kept, and only on its connection.
  const gone = await turn({ previous_response_id: id });
  expect(gone).toEqual([
    { type: "error", status: 400, error: expect.objectContaining({ code: "previous_response_not_found" }) },
  ]);
  expect(textOf(await turn({ input: "three" }))).toBe("three: three");
  socket.close();
  await until(() => emulator.requests.every(({ durationMs }) => durationMs !== undefined));
  const requests = emulator.requests.filter(({ server }) => server === "foundry");
  expect(requests.map(({ method, path, status }) => [method, path, status])).toEqual([
    ["GET", "/openai/v1/responses", 101],
    ["WEBSOCKET", "/openai/v1/responses", 200],
    ["WEBSOCKET", "/openai/v1/responses", 200],
    ["WEBSOCKET", "/openai/v1/responses", 400],
    ["WEBSOCKET", "/openai/v1/responses", 200],
  ]);
  expect(requests.map(({ authorization }) => authorization?.verdict)).toEqual(Array(5).fill("valid"));
});

test("a request that generates nothing is there to be continued", async () => {
  const emulator = await start({ reply: ({ messages }) => messages.map(({ text }) => text).join("|") });
  const { socket, turn } = await open(emulator);
  const warm = await turn({ input: "before", generate: false });
  expect(warm.map(({ type }) => type)).toEqual([
    "response.created",
    "response.in_progress",
    "response.completed",
  ]);
  expect(warm.at(-1).response.output).toEqual([]);
  const events = await turn({ input: "now", previous_response_id: warm.at(-1).response.id });
  expect(textOf(events)).toBe("before|now");
  socket.close();
});

test("faults, quotas and roles of a turn come as error events; the connection stays", async () => {
  const emulator = await start();
  const { socket, turn } = await open(emulator);
  emulator.faults.add({ server: "foundry", kind: "status", status: 429, match: { body: "limited" } });
  expect(await turn({ input: "limited" })).toMatchObject([
    { type: "error", status: 429, error: { code: "429" } },
  ]);
  emulator.faults.add({ server: "foundry", kind: "stream-error", event: "error" });
  expect((await turn({})).map(({ type }) => type).slice(-2)).toEqual(["response.output_text.delta", "error"]);
  emulator.faults.add({ server: "foundry", kind: "length" });
  expect((await turn({})).at(-1)).toMatchObject({ type: "response.incomplete" });
  emulator.foundry.setQuota("gpt-5.5", { requestsPerMinute: 0 });
  expect(await turn({})).toMatchObject([{ type: "error", status: 429 }]);
  expect(await turn({ model: "none" })).toMatchObject([
    { status: 404, error: { code: "DeploymentNotFound" } },
  ]);
  emulator.foundry.setQuota("gpt-5.5", undefined);
  expect((await turn({})).at(-1).type).toBe("response.completed");
  socket.close();
});

test("after an hour the connection ends", async () => {
  const emulator = await start();
  const { socket, turn } = await open(emulator);
  await turn({});
  emulator.advanceClock(3_590_000);
  expect((await turn({})).at(-1).type).toBe("response.completed");
  emulator.advanceClock(10_000);
  const closed = new Promise((resolve) => socket.on("close", () => resolve("closed")));
  expect(await turn({})).toMatchObject([
    { status: 400, error: { code: "websocket_connection_limit_reached" } },
  ]);
  expect(await closed).toBe("closed");
});

test("what is no request is refused, and a reply function that throws does not end the connection", async () => {
  let fails = true;
  const emulator = await start({
    reply: () => {
      if (fails) throw new Error("no idea");
      return "ok";
    },
  });
  const { socket, turn } = await open(emulator);
  expect(await turn({ type: "session.update" })).toMatchObject([{ status: 400, error: { param: "type" } }]);
  expect(await turn({})).toMatchObject([
    { type: "error", error: { message: expect.stringContaining("no idea") } },
  ]);
  fails = false;
  expect(textOf(await turn({}))).toBe("ok");
  socket.close();
});

describe("the handshake", () => {
  const handshake = (emulator: Emulator, token?: string, path = "/openai/v1/responses") =>
    new Promise<[number, string]>((resolve) => {
      const socket = new WebSocket(`${emulator.foundry.url.replace("http", "ws")}${path}`, {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
      socket.on("open", () => {
        socket.terminate();
        resolve([101, ""]);
      });
      socket.on("error", () => resolve([0, ""]));
      socket.on("unexpected-response", (_request, response) => {
        let text = "";
        response.on("data", (data) => {
          text += data;
        });
        response.on("end", () => resolve([response.statusCode ?? 0, text]));
      });
    });

  test("is refused as a request is: without a token or a role, elsewhere, by a fault", async () => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    expect(await handshake(emulator)).toEqual([401, expect.stringContaining("Access token is missing")]);
    expect(await handshake(emulator, token, "/openai/v1/chat/completions")).toEqual([
      404,
      expect.any(String),
    ]);
    expect(await handshake(emulator, token, "/openai/v1/responses?api-version=v1")).toEqual([
      400,
      expect.any(String),
    ]);
    emulator.faults.add({ server: "foundry", kind: "status", status: 426 });
    expect((await handshake(emulator, token))[0]).toBe(426);
    emulator.faults.add({ server: "foundry", kind: "reset" });
    expect((await handshake(emulator, token))[0]).toBe(0);
    emulator.foundry.setRoles([]);
    expect(await handshake(emulator, token)).toEqual([401, expect.stringContaining("PermissionDenied")]);
    emulator.foundry.setRoles(["Foundry User"]);
    for (const path of ["/v1/responses", "/api/projects/p/openai/v1/responses"])
      expect(await handshake(emulator, token, path)).toEqual([101, ""]);
  });

  test("stopping ends open connections and hanging handshakes", async () => {
    const emulator = await start();
    const { socket } = await open(emulator);
    const closed = new Promise((resolve) => socket.on("close", () => resolve("closed")));
    await until(() => emulator.requests.at(-1)?.status === 101);
    emulator.faults.add({ server: "foundry", kind: "hang" });
    const hanging = handshake(emulator, await tokenFor(emulator));
    await until(() => emulator.requests.at(-1)?.fault === "hang");
    await emulator.stop();
    expect(await closed).toBe("closed");
    expect(await hanging).toEqual([0, ""]);
  });
});

test("a client that offers HTTP/2 is answered in HTTP/1.1, its body included", async () => {
  const emulator = await start();
  const token = await tokenFor(emulator);
  const body = JSON.stringify(BODY);
  const head = (more: string[]) =>
    [
      "POST /openai/v1/responses HTTP/1.1",
      `Host: 127.0.0.1:${emulator.foundry.port}`,
      `Authorization: Bearer ${token}`,
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
      ...more,
      "",
      "",
    ].join("\r\n");
  const socket = connect(emulator.foundry.port, "127.0.0.1");
  let received = "";
  socket.on("data", (data) => {
    received += data;
  });
  // As Java's client sends it: the first request offers, later ones on the connection do not.
  socket.write(head(["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA"]));
  socket.write(body.slice(0, 10));
  await until(() => emulator.counts.foundry === 1);
  socket.write(body.slice(10));
  await until(() => received.includes('"status":"completed"'));
  expect(received).toMatch(/^HTTP\/1\.1 200 OK/);
  received = "";
  socket.write(head([]) + body);
  await until(() => received.includes('"status":"completed"'));
  socket.destroy();
  expect(emulator.counts.foundry).toBe(2);
});
