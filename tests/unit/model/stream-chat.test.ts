// Tests streamChat() over real HTTP: with the emulator, and with servers that misbehave in other
// ways.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { parseEndpoint } from "copilot-keyless";
import { KeylessError, type StreamChatOptions, streamChat } from "copilot-keyless/direct";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll, afterEach, describe, expect, test } from "vitest";

const emulator = await startEmulator({ deployments: ["gpt-5.5", "gpt-4o", "claude"], chunkDelayMs: 5 });
const endpoint = `${emulator.env.FOUNDRY_RESOURCE_URL}/openai/v1/`;
const servers: Server[] = [];
afterEach(() => emulator.faults.clear());
afterAll(async () => {
  await emulator.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const response = await fetch(
  `${emulator.identity.endpoint}?api-version=2019-08-01&resource=https://ai.azure.com`,
  {
    headers: { "x-identity-header": emulator.env.IDENTITY_HEADER },
  },
);
const token = ((await response.json()) as { access_token: string }).access_token;

async function pieces(options: Partial<StreamChatOptions> = {}): Promise<string[]> {
  const all: string[] = [];
  for await (const text of streamChat({ endpoint, token, prompt: 'Say "pine\\apple"', ...options }))
    all.push(text);
  return all;
}

async function failed(options: Partial<StreamChatOptions>): Promise<KeylessError> {
  const error = await pieces(options).then(
    (all) => {
      throw new Error(`Not rejected: ${all.join("")}`);
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KeylessError);
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain(token.slice(-30));
  return error as KeylessError;
}

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/openai/v1/`;
}

/** Starts an endpoint that streams these bytes and then ends or breaks the connection. */
function streaming(
  parts: readonly (string | Buffer)[],
  end: "end" | "cut" | "open" = "end",
): Promise<string> {
  return serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    for (const part of parts) response.write(part);
    if (end === "end") response.end();
    if (end === "cut") setTimeout(() => response.destroy(), 50);
  });
}

const delta = (text: string) =>
  `data: ${JSON.stringify({ type: "response.output_text.delta", delta: text })}\n\n`;
const COMPLETED = 'data: {"type":"response.completed"}\n\n';

describe("an answer", () => {
  test.each<[string, Partial<StreamChatOptions>, string]>([
    ["responses", {}, "POST /openai/v1/responses"],
    ["chat completions", { wireApi: "completions", maxOutputTokens: 50 }, "POST /openai/v1/chat/completions"],
    [
      "a dated version",
      { model: "gpt-4o", apiVersion: "2024-10-21" },
      "POST /openai/deployments/gpt-4o/chat/completions",
    ],
    [
      "Anthropic",
      {
        endpoint: parseEndpoint(`${emulator.foundry.url}/anthropic`, { type: "anthropic" }),
        model: "claude",
      },
      "POST /anthropic/v1/messages",
    ],
  ])("of %s comes in pieces", async (_name, options, route) => {
    const all = await pieces(options);
    expect(all.length).toBeGreaterThan(3);
    expect(all.join("")).toContain('Say "pine\\apple"');
    const record = emulator.requests.filter(({ server }) => server === "foundry").at(-1);
    expect(`${record?.method} ${record?.path.split("?")[0]}`).toBe(route);
    expect(record?.status).toBe(200);
  });

  test("is read whatever the cuts, characters included", async () => {
    const bytes = Buffer.from(
      `event: x\r\n${delta("Grüße ")}: ping\n\n${delta("漢字")}${COMPLETED}${delta("not read")}`,
    );
    const own = await serve(async (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    expect((await pieces({ endpoint: own })).join("")).toBe("Grüße 漢字");
  });

  test.each([
    [
      "a content type in capitals, with a charset",
      "Text/Event-Stream; charset=UTF-8",
      delta("Hello") + COMPLETED,
    ],
    [
      "one JSON body, collected by a gateway",
      "application/json; charset=utf-8",
      '{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hello"}]}]}',
    ],
  ])("is read from %s", async (_name, contentType, body) => {
    const own = await serve((_request, response) => {
      response.writeHead(200, { "content-type": contentType }).end(body);
    });
    expect((await pieces({ endpoint: own })).join("")).toBe("Hello");
  });

  test("is complete without [DONE] after a finish reason", async () => {
    const events = [
      '{"choices":[{"delta":{"content":"Hello"}}]}',
      '{"choices":[{"delta":{},"finish_reason":"stop"}]}',
    ];
    const own = await streaming(
      events.map((event) => `data: ${event}\n\n`),
      "end",
    );
    expect((await pieces({ endpoint: own, wireApi: "completions" })).join("")).toBe("Hello");
  });

  test("is aborted when the loop is left, and by the signal", async () => {
    let closed = 0;
    const own = await serve((_request, response) => {
      response.on("close", () => {
        closed += 1;
      });
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(delta("Hello"));
    });
    for await (const text of streamChat({ endpoint: own, prompt: "x" })) {
      expect(text).toBe("Hello");
      break;
    }
    await expect.poll(() => closed).toBe(1);
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of streamChat({ endpoint: own, prompt: "x", signal: controller.signal }))
        controller.abort(new Error("enough"));
    })();
    await expect(reading).rejects.toThrow("enough");
    await expect.poll(() => closed).toBe(2);
    const before = streamChat({ endpoint: own, prompt: "x", signal: AbortSignal.abort(new Error("before")) });
    await expect(before.next()).rejects.toThrow("before");
  });
});

describe("a failure", () => {
  test.each<[string, Partial<StreamChatOptions>, string]>([
    ["no prompt", { prompt: " " }, "agent/empty-prompt"],
    ["no endpoint", { endpoint: "" }, "endpoint/empty"],
    ["an empty token", { token: "" }, "token/empty"],
    ["a timeout that is none", { timeoutMs: 0.5 }, "provider/limit"],
    [
      "Anthropic without a model",
      { endpoint: `${emulator.foundry.url}/anthropic`, type: "anthropic" },
      "provider/model",
    ],
    ["no such deployment", { model: "gpt-9" }, "model/deployment-not-found"],
    ["no token", { token: undefined }, "model/token-invalid"],
    ["nobody there", { endpoint: "http://127.0.0.1:9/v1" }, "model/network"],
  ])("%s", async (_name, options, code) => {
    expect((await failed(options)).code).toBe(code);
  });

  test("of the resource is diagnosed with its own words", async () => {
    emulator.foundry.setRoles([]);
    const error = await failed({});
    emulator.foundry.setRoles(["Foundry User"]);
    expect(error.code).toBe("model/missing-role");
    expect(error.status).toBe(401);
    expect(error.hint).toContain("az role assignment create");
    emulator.faults.add({ server: "foundry", kind: "status", status: 429 });
    expect(await failed({})).toMatchObject({ code: "model/rate-limited", retryAfterMs: 1000 });
  });

  test.each<[string, string, string]>([
    [
      "the quota",
      '{"type":"error","code":"rate_limit_exceeded","message":"slow down"}',
      "model/rate-limited",
    ],
    [
      "the content filter",
      '{"type":"response.incomplete","response":{"incomplete_details":{"reason":"content_filter"}}}',
      "model/content-filter",
    ],
    [
      "the server",
      '{"type":"response.failed","response":{"error":{"code":"server_error"}}}',
      "model/server-error",
    ],
    ["what is no event", "<html>", "model/network"],
  ])("of %s in the midst of an answer", async (_name, event, code) => {
    const own = await streaming([delta("Hel"), `data: ${event}\n\n`], "open");
    const got: string[] = [];
    const reading = (async () => {
      for await (const text of streamChat({ endpoint: own, prompt: "x" })) got.push(text);
    })();
    await expect(reading).rejects.toMatchObject({ code });
    expect(got.join("")).toBe("Hel");
  });

  test.each(["end", "cut"] as const)("an answer that ends before its end: %s", async (how) => {
    const error = await failed({ endpoint: await streaming([delta("Hel")], how) });
    expect(error.code).toBe("model/network");
  });

  test("an answer that takes too long", async () => {
    const error = await failed({ endpoint: await streaming([delta("Hel")], "open"), timeoutMs: 200 });
    expect(error.code).toBe("model/network");
    expect(error.message).toContain("no answer within 200 ms");
  });

  test("a refusal in the midst of an answer says how much of the limit is left", async () => {
    const own = await serve((_request, response) => {
      response.writeHead(200, {
        "content-type": "text/event-stream",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-remaining-requests": "9",
      });
      response.end('data: {"type":"error","code":"rate_limit_exceeded","message":"slow down"}\n\n');
    });
    const error = await failed({ endpoint: own });
    expect(error.code).toBe("model/rate-limited");
    expect(error.message).toContain("tokens per minute");
  });

  test("an answer that is no stream", async () => {
    const json = await serve((_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end('{"output":[]}');
    });
    expect(await failed({ endpoint: json })).toMatchObject({ code: "model/unknown", status: 200 });
    const site = await serve((_request, response) => response.end("<html>"));
    expect((await failed({ endpoint: site })).code).toBe("model/wrong-path");
  });
});

test("a custom fetch that responds after the deadline causes no unhandled rejection", async () => {
  const hanging = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": half\n\n");
  });
  servers.push(hanging);
  await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve));
  const strays: unknown[] = [];
  const note = (error: unknown) => strays.push(error);
  process.on("unhandledRejection", note);
  const { fetch } = globalThis;
  globalThis.fetch = async (...call) => {
    const answer = await fetch(...call);
    await new Promise((next) => setTimeout(next, 400));
    return answer;
  };
  try {
    const address = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/openai/v1/`;
    expect(await failed({ endpoint: address, timeoutMs: 200 })).toMatchObject({ code: "model/network" });
    await new Promise((next) => setTimeout(next, 600));
  } finally {
    globalThis.fetch = fetch;
    process.off("unhandledRejection", note);
  }
  expect(strays).toEqual([]);
});
