// Tests how bytes pass through the gateway, in both directions, and how connections end.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer, text } from "node:stream/consumers";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { GatewayOptions } from "copilot-keyless/gateway";
import { expect, test } from "vitest";
import { answered, comparable, gatewayTo, hasConnections, open, resource, send } from "./support.js";

const PATH = "/openai/v1/responses";
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test.runIf(hasConnections())(
  "headers, query and body arrive as they were sent, with the token in place of the key",
  async () => {
    const seen: { url: string | undefined; headers: unknown; body: string }[] = [];
    const endpoint = await resource(async (request, response) => {
      const headers = comparable(request.rawHeaders);
      seen.push({ url: request.url, headers, body: hash(await buffer(request)) });
      response
        .writeHead(207, "Very Well", ["X-Two", "1", "X-Two", "2", "Set-Cookie", "a=1"])
        .end("bytes \xff");
    });
    const { gateway } = await gatewayTo(endpoint);
    const body = gzipSync(randomBytes(100_000));
    const headers = [
      "Content-Encoding",
      "gzip",
      "X-A",
      "1",
      "x-a",
      "2",
      "Authorization",
      "Bearer x",
      "X-Api-Key",
      "y",
    ];
    const sent = open(gateway, `${PATH}?a=%20b&c=[1]`, {
      headers: [...headers, "Content-Length", `${body.length}`],
    });
    sent.end(body);
    const answer = await answered(sent);
    expect(answer).toMatchObject({ status: 207, body: "bytes \xff" });
    expect(answer.headers).toMatchObject({ "x-two": "1, 2", "set-cookie": ["a=1"] });
    expect(seen).toEqual([
      {
        url: `${PATH}?a=%20b&c=[1]`,
        body: hash(body),
        headers: comparable([
          ...["Host", new URL(endpoint).host, "Content-Encoding", "gzip", "X-A", "1", "x-a", "2"],
          ...["Authorization", "Bearer token-of-the-tests", "Content-Length", `${body.length}`],
          ...["Connection", "keep-alive"],
        ]),
      },
    ]);
  },
);

test("a body larger than memory allows is streamed in full, chunked or not", async () => {
  const endpoint = await resource(async (request, response) => {
    const body = await buffer(request);
    response.end(`${request.headers["content-length"]} ${body.length} ${hash(body)}`);
  });
  const { gateway, log } = await gatewayTo(endpoint, { limits: { bufferBytes: 10_000 } });
  const body = randomBytes(20_000_000);
  for (const length of [`${body.length}`, undefined]) {
    const sent = open(gateway, PATH, {
      headers: length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": length },
    });
    sent.end(body);
    const told = hasConnections() ? length : undefined;
    expect((await answered(sent)).body).toBe(`${told} ${body.length} ${hash(body)}`);
  }
  await expect.poll(() => log.map(({ requestBytes }) => requestBytes)).toEqual([body.length, body.length]);
});

test("each event arrives when it is sent", async () => {
  let next = () => {};
  const endpoint = await resource(async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    for (let index = 0; index < 3; index += 1) {
      await new Promise<void>((resolve) => {
        next = resolve;
      });
      response.write(`data: ${index}\n\n`);
    }
    response.end();
  });
  const { gateway } = await gatewayTo(endpoint);
  const sent = open(gateway, PATH);
  sent.end("{}");
  // The headers come before the first event.
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let index = 0;
  next();
  for await (const chunk of response) {
    expect(String(chunk)).toBe(`data: ${index}\n\n`);
    index += 1;
    next();
  }
  expect(index).toBe(3);
});

test.each([...(hasConnections() ? [["br", brotliCompressSync] as const] : []), ["gzip", gzipSync] as const])(
  "a refusal in %s is explained",
  async (encoding, compress) => {
    const refusal = JSON.stringify({
      error: { code: "403", message: "Access denied due to Virtual Network/Firewall rules." },
    });
    const endpoint = await resource((_request, response) => {
      response.writeHead(403, { "content-encoding": encoding }).end(compress(refusal));
    });
    const { gateway } = await gatewayTo(endpoint);
    const { status, body } = await send(gateway, PATH);
    expect([status, JSON.parse(body).error.code]).toEqual([400, "model/firewall"]);
  },
);

test("a 400 about the request passes with its bytes, also when it is long", async () => {
  const long = JSON.stringify({ error: { code: "context_length_exceeded", message: "x".repeat(300_000) } });
  const endpoint = await resource((request, response) => {
    response.writeHead(400).end(request.url === PATH ? long : '{"error":{"code":"context_length_exceeded"}}');
  });
  const { gateway } = await gatewayTo(endpoint);
  expect(await send(gateway, PATH)).toMatchObject({ status: 400, body: long });
  expect(await send(gateway, "/v1/chat/completions")).toMatchObject({
    status: 400,
    body: '{"error":{"code":"context_length_exceeded"}}',
  });
});

test("a stream that breaks off upstream breaks off for the client", async () => {
  const endpoint = await resource((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n", () => response.destroy());
  });
  const { gateway, log } = await gatewayTo(endpoint);
  const sent = open(gateway, PATH);
  sent.end("{}");
  await expect(answered(sent)).rejects.toThrow(/aborted/);
  await expect.poll(() => log).toMatchObject([{ status: 200, outcome: "upstream-broke", responseBytes: 9 }]);
  await expect.poll(() => gateway.active).toBe(0);
});

test("a client that leaves ends the request to the resource: before the answer, and within it", async () => {
  const left: string[] = [];
  const endpoint = await resource((request, response) => {
    response.once("close", () => left.push(request.url ?? ""));
    if (request.url === PATH) response.write("data: 1\n\n");
    else request.resume();
  });
  const { gateway, log } = await gatewayTo(endpoint);
  const answering = open(gateway, PATH);
  answering.end("{}");
  await once(answering, "response");
  const waiting = open(gateway, "/openai/v1/files");
  waiting.on("error", () => {});
  waiting.end("{}");
  await expect.poll(() => gateway.active).toBe(2);
  answering.destroy();
  waiting.destroy();
  await expect.poll(() => left.toSorted()).toEqual(["/openai/v1/files", PATH]);
  await expect.poll(() => log.map(({ outcome }) => outcome)).toEqual(["client-left", "client-left"]);
  await expect.poll(() => gateway.active).toBe(0);
});

test.runIf(hasConnections())(
  "a client that leaves while it sends its body frees the memory for it",
  async () => {
    const endpoint = await resource((_request, response) => response.end());
    const { gateway } = await gatewayTo(endpoint, { limits: { bufferBytes: 1_000 } });
    for (let index = 0; index < 20; index += 1) {
      const sent = open(gateway, PATH, { headers: { "content-length": "5000" } });
      sent.on("error", () => {});
      sent.write("x".repeat(900));
      await expect.poll(() => gateway.active).toBe(1);
      sent.destroy();
      await expect.poll(() => gateway.active).toBe(0);
    }
  },
);

test("a slow reader is waited for, and holds the resource back", async () => {
  let written = 0;
  const endpoint = await resource((_request, response) => {
    const more = () => {
      while (written < 64e6) {
        written += 1e6;
        if (!response.write(Buffer.alloc(1e6))) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  });
  // Longer than any pause of the resource, shorter than the reader's.
  const { gateway } = await gatewayTo(endpoint, { limits: { idleMs: 1_000 } });
  const sent = open(gateway, PATH);
  sent.end("{}");
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.pause();
  let before = -1;
  // Until nothing moves any more for longer than idleMs.
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  }
  expect(written).toBeLessThan(32e6);
  expect((await buffer(response)).length).toBe(64e6);
});

test("a resource that falls silent within its answer is given up, visibly", async () => {
  const endpoint = await resource((_request, response) => void response.write("data: 1\n\n"));
  const { gateway, log } = await gatewayTo(endpoint, { limits: { idleMs: 50 } });
  const sent = open(gateway, PATH);
  sent.end("{}");
  await expect(answered(sent)).rejects.toThrow(/aborted/);
  await expect.poll(() => log).toMatchObject([{ outcome: "upstream-broke" }]);
});

test("a resource that does not answer in time is a 504 that may be repeated", async () => {
  const endpoint = await resource((request) => void request.resume());
  const { gateway } = await gatewayTo(endpoint, { limits: { firstByteMs: 50 } });
  const { status, body, headers } = await send(gateway, PATH);
  expect([status, JSON.parse(body).error.code, headers["x-should-retry"]]).toEqual([
    504,
    "gateway/timeout",
    "true",
  ]);
});

test("a resource that cannot be reached is a 502 that says so", async () => {
  const { gateway } = await gatewayTo("http://127.0.0.1:9/openai/v1/");
  const { status, body } = await send(gateway, PATH);
  expect([status, JSON.parse(body).error.code]).toEqual([502, "model/network"]);
});

test.runIf(hasConnections())(
  "a request on a connection that the resource had just closed is sent again",
  async () => {
    const answers: string[] = [];
    const endpoint = await resource(async (request, response) => {
      answers.push(await text(request));
      // The second request of a connection finds it closed.
      if (answers.length === 2) request.socket.destroy();
      else response.end(`${answers.length}`);
    });
    const { gateway, log } = await gatewayTo(endpoint);
    expect((await send(gateway, PATH, "one")).body).toBe("1");
    expect((await send(gateway, PATH, "two")).body).toBe("3");
    expect(answers).toEqual(["one", "two", "two"]);
    await expect.poll(() => log.map(({ repeated }) => repeated)).toEqual([false, true]);
  },
);

/** Azure's refusal of a token. */
const REJECTED =
  '{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid, audience is incorrect (https://ai.azure.com), or have expired."}';

/** Options of a gateway whose tokens live so long, each another one. */
function freshTokens(lifeMs = 3_600_000) {
  let count = 0;
  const getToken = async () => {
    count += 1;
    return { token: `token-${count}`, expiresOnTimestamp: Date.now() + lifeMs };
  };
  return { tokens: undefined, scope: "https://ai.azure.com/.default", credential: { getToken } };
}

test.runIf(hasConnections())(
  "a request is sent again both on another connection and with another token",
  async () => {
    const seen: (string | undefined)[] = [];
    const endpoint = await resource(async (request, response) => {
      seen.push(request.headers.authorization);
      await buffer(request);
      // The connection of the first request is closed at the second, and the token revoked.
      if (seen.length === 2) request.socket.destroy();
      else if (seen.length === 3) response.writeHead(401).end(REJECTED);
      else response.end("ok");
    });
    const { gateway } = await gatewayTo(endpoint, freshTokens());
    expect((await send(gateway, PATH)).body).toBe("ok");
    expect((await send(gateway, PATH)).body).toBe("ok");
    expect(seen).toEqual(["Bearer token-1", "Bearer token-1", "Bearer token-1", "Bearer token-2"]);
  },
);

test("a resource that has never accepted a token is explained, however often it is asked", async () => {
  const endpoint = await resource(async (request, response) => {
    await buffer(request);
    response.writeHead(401).end(REJECTED);
  });
  const { gateway } = await gatewayTo(endpoint, freshTokens());
  for (let count = 0; count < 2; count += 1) {
    const { status, body } = await send(gateway, PATH);
    expect([status, JSON.parse(body).error.code]).toEqual([400, "model/token-invalid"]);
  }
});

test("a stream goes on when its token expires, and the next request has another", async () => {
  const lifeMs = 1_500;
  const seen: (string | undefined)[] = [];
  const endpoint = await resource(async (request, response) => {
    seen.push(request.headers.authorization);
    await buffer(request);
    if (seen.length > 1) return void response.end("ok");
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let index = 0; index < 20; index += 1) {
      response.write(`data: ${index}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, lifeMs / 10));
    }
    response.end("data: [DONE]\n\n");
  });
  const { gateway, log } = await gatewayTo(endpoint, freshTokens(lifeMs));
  const began = performance.now();
  const { status, body } = await send(gateway, PATH);
  expect(performance.now() - began).toBeGreaterThan(lifeMs);
  expect([status, body.match(/^data: /gm)?.length, body.endsWith("data: [DONE]\n\n")]).toEqual([
    200,
    21,
    true,
  ]);
  expect((await send(gateway, PATH)).body).toBe("ok");
  expect(seen).toEqual(["Bearer token-1", "Bearer token-2"]);
  await expect.poll(() => log).toMatchObject(Array(2).fill({ outcome: "answered", repeated: false }));
});

test.runIf(hasConnections())(
  "a client that leaves before there is a token is logged, and leaves nothing",
  async () => {
    const endpoint = await resource((_request, response) => response.end());
    const { gateway, log } = await gatewayTo(endpoint, {
      tokens: (() => new Promise(() => {})) as unknown as NonNullable<GatewayOptions["tokens"]>,
    });
    const sent = open(gateway, PATH);
    sent.on("error", () => {});
    sent.end("{}");
    await expect.poll(() => gateway.active).toBe(1);
    sent.destroy();
    await expect.poll(() => log).toMatchObject([{ outcome: "client-left", status: 0 }]);
    await expect.poll(() => gateway.active).toBe(0);
  },
);

test.runIf(hasConnections())(
  "an answer before the end of the body ends the request to the resource",
  async () => {
    const closed: boolean[] = [];
    const endpoint = await resource((request, response) => {
      request.socket.once("close", () => closed.push(request.complete));
      response.end("early");
      request.resume();
    });
    const { gateway, log } = await gatewayTo(endpoint, { limits: { bufferBytes: 1_000 } });
    const sent = open(gateway, PATH, { headers: { "content-length": "100000" } });
    sent.on("error", () => {});
    sent.write("x".repeat(50_000));
    expect((await answered(sent)).body).toBe("early");
    await expect.poll(() => closed).toEqual([false]);
    await expect.poll(() => log).toMatchObject([{ status: 200, outcome: "answered" }]);
    // The rest of the body is read, so that the connection can be used again.
    sent.end("x".repeat(50_000));
  },
);

test("nothing is repeated after a rejected token if the body is gone: the client is asked to", async () => {
  const endpoint = await resource(async (request, response) => {
    await buffer(request);
    response.writeHead(401).end(REJECTED);
  });
  const { gateway, log } = await gatewayTo(endpoint, { limits: { bufferBytes: 10 } });
  const { status, headers } = await send(gateway, PATH, "x".repeat(1_000));
  expect([status, headers["x-should-retry"], headers["retry-after"]]).toEqual([503, "true", "1"]);
  expect(log.every(({ repeated }) => !repeated)).toBe(true);
});

test("close() lets a request in progress end, and refuses new ones on open connections", async () => {
  let finish: ServerResponse | undefined;
  const endpoint = await resource((_request, response) => {
    finish = response;
    response.write("data: 1\n\n");
  });
  const { gateway } = await gatewayTo(endpoint, { limits: { closeMs: 10_000 } });
  const sent = open(gateway, PATH);
  sent.end("{}");
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const closed = gateway.close();
  finish?.end("data: 2\n\n");
  expect(await text(response)).toBe("data: 1\n\ndata: 2\n\n");
  await closed;
  await expect(send(gateway, PATH)).rejects.toThrow(/ECONNREFUSED/);
});

test("a refusal that falls silent, breaks off or was cut off before it was read is a 502", async () => {
  const endpoint = await resource((request, response) => {
    response.writeHead(403, { "content-type": "application/json" });
    if (request.url?.endsWith("silent")) response.write("{");
    else if (request.url?.endsWith("broken")) response.write("{", () => response.destroy());
    else request.socket.write("HTTP/1.1 403 No\r\ntransfer-encoding: chunked\r\n\r\nzz");
  });
  const { gateway } = await gatewayTo(endpoint, { limits: { idleMs: 200 } });
  for (const name of ["silent", "broken", "unreadable"]) {
    const { status, body } = await send(gateway, `/openai/v1/files/${name}`);
    expect([name, status, JSON.parse(body).error.code]).toEqual([name, 502, "model/network"]);
  }
  await expect.poll(() => gateway.active).toBe(0);
});

test("an answer that is cut off in its first packet ends for the client", async () => {
  const endpoint = await resource((request) => {
    request.socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz");
  });
  const { gateway, log } = await gatewayTo(endpoint);
  await expect(send(gateway, PATH)).rejects.toThrow();
  await expect.poll(() => log).toMatchObject([{ outcome: "upstream-broke" }]);
});

test("the body of a redirect is not waited for", async () => {
  const endpoint = await resource((_request, response) => {
    response.writeHead(302, { location: "http://elsewhere.example/" }).write("x");
  });
  const { gateway } = await gatewayTo(endpoint);
  const { status, body } = await send(gateway, PATH);
  expect([status, JSON.parse(body).error.code]).toEqual([400, "gateway/redirect"]);
});

test("a request that times out, or whose answer cannot be read, on a used connection is sent once", async () => {
  const seen: string[] = [];
  const ports = new Set<unknown>();
  const endpoint = await resource(async (request, response) => {
    const body = await text(request);
    seen.push(body);
    ports.add(request.socket.remotePort);
    if (body === "odd") request.socket.write("HTTP/9 odd\r\n\r\n");
    else if (body !== "slow") response.end("ok");
  });
  const { gateway } = await gatewayTo(endpoint, { limits: { firstByteMs: 200 } });
  for (const [body, code] of [
    ["slow", 504],
    ["odd", 502],
  ] as const) {
    ports.clear();
    expect((await send(gateway, PATH, "first")).status).toBe(200);
    expect((await send(gateway, PATH, body)).status).toBe(code);
    expect(ports.size).toBe(1);
  }
  expect(seen).toEqual(["first", "slow", "first", "odd"]);
});
