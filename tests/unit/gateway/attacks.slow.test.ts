// Tests what strangers and hostile clients, pages and resources can do to the gateway: nothing reaches
// the resource without the key, in two readings, or with another's headers.

import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answered, gatewayTo, isNative, KEY, open, raw, resource, send, tokenFunction } from "./support.js";

const PATH = "/openai/v1/responses";
let reached: string[] = [];
let endpoint = "";
beforeEach(async () => {
  reached = [];
  endpoint = await resource(async (request, response) => {
    const body = await buffer(request).catch(() => undefined);
    // One that breaks off was not accepted.
    if (body === undefined) return;
    reached.push(`${request.method} ${request.url} ${body}`);
    response.end("ok");
  });
});

const head = (line: string, ...headers: string[]) =>
  `${[line, "Host: 127.0.0.1", `api-key: ${KEY}`, "Connection: close", ...headers].join("\r\n")}\r\n\r\n`;
const statuses = (received: string) =>
  [...received.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));

const TWICE: [name: string, header: string][] = [
  ["Host", "Host: evil.example"],
  ["api-key", `Api-Key: ${KEY}`],
  ["Origin", "Origin: http://127.0.0.1\r\nOrigin: null"],
];

const smuggled = "POST /openai/v1/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const chunked = `0\r\n\r\n${smuggled}`;

const SMUGGLED: [name: string, headers: string[], body: string][] = [
  ["length and chunks", ["Content-Length: 6", "Transfer-Encoding: chunked"], chunked],
  ["two lengths", ["Content-Length: 0", `Content-Length: ${smuggled.length}`], smuggled],
  ["lengths in one header", [`Content-Length: 0, ${smuggled.length}`], smuggled],
  ["a signed length", ["Content-Length: +0"], smuggled],
  ["a space before the colon", ["Transfer-Encoding : chunked", "Content-Length: 6"], chunked],
  ["chunked twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], chunked],
  ["chunked, then another", ["Transfer-Encoding: chunked, identity"], chunked],
  ["an unknown coding", ["Transfer-Encoding: xchunked"], chunked],
  ["a coding below the chunks", ["Transfer-Encoding: gzip, chunked"], chunked],
  ["a folded header", ["X-A: 1", " Transfer-Encoding: chunked", "Content-Length: 6"], chunked],
  ["a bare line feed", ["X-A: 1\nTransfer-Encoding: chunked", "Content-Length: 6"], chunked],
  ["a null in a value", ["X-A: 1\u0000Transfer-Encoding: chunked", "Content-Length: 6"], chunked],
];

describe("a request in two readings", () => {
  afterEach(() => expect(reached.filter((line) => line.includes("smuggled"))).toEqual([]));
  test.each(SMUGGLED)("%s is refused", async (_name, headers, body) => {
    const { gateway } = await gatewayTo(endpoint);
    const received = await raw(gateway, head(`POST ${PATH} HTTP/1.1`, ...headers) + body);
    expect(statuses(received)[0]).toBe(400);
    expect(reached).toEqual([]);
  });

  test.each(TWICE)("%s twice is refused", async (_name, header) => {
    const { gateway } = await gatewayTo(endpoint, { allowOrigins: ["http://127.0.0.1"] });
    const received = await raw(gateway, head(`GET ${PATH} HTTP/1.1`, header));
    expect(statuses(received)).toEqual([400]);
    expect(reached).toEqual([]);
  });

  test("HTTP/1.1 without a Host is refused", async () => {
    const { gateway } = await gatewayTo(endpoint);
    const lines = [`GET ${PATH} HTTP/1.1`, `api-key: ${KEY}`, "Connection: close"];
    expect(statuses(await raw(gateway, `${lines.join("\r\n")}\r\n\r\n`))).toEqual([400]);
    expect(reached).toEqual([]);
  });

  test("no header is dropped because there are many", async () => {
    const { gateway } = await gatewayTo(endpoint);
    const many = Array.from({ length: 2_100 }, (_, index) => `x-${index}: 1`);
    const received = await raw(
      gateway,
      head(`GET ${PATH} HTTP/1.1`, ...many, "Origin: https://evil.example"),
    );
    // The origin is seen.
    expect(statuses(received)).toEqual([403]);
  });

  test("a size of a chunk that overflows is refused", async () => {
    const { gateway } = await gatewayTo(endpoint);
    const body = `ffffffffffffffff1\r\nx\r\n${chunked}`;
    const received = await raw(gateway, head(`POST ${PATH} HTTP/1.1`, "Transfer-Encoding: chunked") + body);
    expect(statuses(received)[0]).toBe(400);
  });
});

test.each([
  ["//openai/v1/responses", 400],
  ["/openai/v1/../../admin", 400],
  ["/openai/v1/%2e%2e/%2e%2e/admin", 400],
  ["/openai/v1/a%2f..%2fadmin", 400],
  ["/openai/v1/..;/admin", 400],
  ["/openai\\v1\\responses", 400],
  ["http://evil.example/openai/v1/responses", 400],
  ["https://evil.example/openai/v1/responses", 400],
  ["http://127.0.0.1@evil.example/openai/v1/responses", 400],
  ["/admin", 404],
])("the target %s does not reach the resource", async (target, status) => {
  const { gateway } = await gatewayTo(endpoint);
  expect(statuses(await raw(gateway, head(`GET ${target} HTTP/1.1`)))).toEqual([status]);
  expect(reached).toEqual([]);
});

test("CONNECT opens no tunnel", async () => {
  const { gateway } = await gatewayTo(endpoint);
  const refused = isNative() ? [405] : [];
  expect(statuses(await raw(gateway, head("CONNECT evil.example:443 HTTP/1.1")))).toEqual(refused);
  expect(reached).toEqual([]);
});

const PAGES: [name: string, headers: string[], status: number][] = [
  ["by DNS rebinding", ["Host: evil.example:8080"], 403],
  ["that posts to loopback", ["Host: 127.0.0.1", "Origin: https://evil.example"], 403],
  ["in a sandbox", ["Host: 127.0.0.1", "Origin: null"], 403],
];

describe("a web page", () => {
  test.each(PAGES)("%s is refused, even with the key", async (_name, headers, status) => {
    const { gateway } = await gatewayTo(endpoint);
    const lines = [
      `POST ${PATH} HTTP/1.1`,
      ...headers,
      `api-key: ${KEY}`,
      "Content-Length: 2",
      "Connection: close",
    ];
    const received = await raw(gateway, `${lines.join("\r\n")}\r\n\r\n{}`);
    expect(statuses(received)).toEqual([status]);
    expect(received).not.toMatch(/access-control-allow-origin/i);
    expect(reached).toEqual([]);
  });

  test("gets no permission by a preflight", async () => {
    const { gateway } = await gatewayTo(endpoint);
    const received = await raw(gateway, head(`OPTIONS ${PATH} HTTP/1.1`, "Origin: https://evil.example"));
    expect(statuses(received)).toEqual([405]);
    expect(received).not.toMatch(/access-control-allow/i);
  });
});

test("a wrong key in a loop: each is refused, unread, and none is logged or quoted", async () => {
  const { gateway, log } = await gatewayTo(endpoint);
  const keys = Array.from({ length: 300 }, (_, index) => `wrong-key-number-${index}`);
  const answers = await Promise.all(keys.map((key) => send(gateway, PATH, "{}", { "api-key": key })));
  for (const { status, body } of answers) {
    expect(status).toBe(401);
    expect(body).not.toContain("wrong-key-number");
  }
  expect(reached).toEqual([]);
  await expect.poll(() => log.length).toBe(300);
  expect(JSON.stringify(log)).not.toContain("wrong-key-number");
});

test("the body of a request without the key is not read on", async () => {
  const { gateway } = await gatewayTo(endpoint);
  const sent = open(gateway, PATH, { headers: { "api-key": "wrong", "content-length": "1000000000" } });
  sent.on("error", () => {});
  sent.write("x");
  expect(await answered(sent)).toMatchObject({ status: 401, headers: { connection: "close" } });
});

test("a redirect is not followed, and its address does not reach the client", async () => {
  let stolen = false;
  const thief = await resource((_request, response) => {
    stolen = true;
    response.end();
  });
  for (const status of [301, 302, 303, 307, 308]) {
    const redirecting = await resource((_request, response) =>
      response.writeHead(status, { location: thief }).end(),
    );
    const { gateway } = await gatewayTo(redirecting);
    const answer = await send(gateway, PATH);
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([400, "gateway/redirect"]);
    expect(JSON.stringify(answer)).not.toContain(thief);
  }
  expect(stolen).toBe(false);
});

test("a resource that quotes the token back does not show it in an explanation", async () => {
  const quoting = await resource((request, response) => {
    response
      .writeHead(403)
      .end(JSON.stringify({ error: { message: `No: ${request.headers.authorization}` } }));
  });
  const token = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL2FpLmF6dXJlLmNvbSJ9.c2lnbmF0dXJl";
  const { gateway } = await gatewayTo(quoting, { tokens: tokenFunction(() => token) });
  const { status, body } = await send(gateway, PATH);
  expect(status).toBe(400);
  expect(body).not.toContain(token);
});

describe("limits", () => {
  test("headers that are too long or too slow, and a body that does not come", async () => {
    const limits = { headersMs: 300, requestMs: 600 };
    const { gateway } = await gatewayTo(endpoint, { limits });
    expect(statuses(await raw(gateway, head(`GET ${PATH} HTTP/1.1`, `x: ${"x".repeat(40_000)}`)))).toEqual([
      431,
    ]);
    expect(statuses(await raw(gateway, `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n`))).toEqual([408]);
    expect(statuses(await raw(gateway, `${head(`POST ${PATH} HTTP/1.1`, "Content-Length: 10")}x`))).toEqual([
      408,
    ]);
    expect(reached).toEqual([]);
  });

  test("a body that is declared, or turns out, too large", async () => {
    const { gateway } = await gatewayTo(endpoint, { limits: { maxBodyBytes: 1_000, bufferBytes: 100 } });
    const declared = await send(gateway, PATH, "x".repeat(1_001));
    expect([declared.status, JSON.parse(declared.body).error.code]).toEqual([413, "gateway/body-too-large"]);
    const sent = open(gateway, PATH, { headers: { "transfer-encoding": "chunked" } });
    sent.on("error", () => {});
    const answer = answered(sent);
    for (let index = 0; index < 20; index += 1) sent.write("x".repeat(100));
    expect((await answer).status).toBe(413);
    expect(reached).toEqual([]);
  });

  test("more requests at once than allowed, and none afterwards", async () => {
    const waiting: (() => void)[] = [];
    const slow = await resource((_request, response) => void waiting.push(() => response.end("ok")));
    const { gateway } = await gatewayTo(slow, { limits: { maxRequests: 2 } });
    const accepted = [send(gateway, PATH), send(gateway, PATH)];
    await expect.poll(() => waiting.length).toBe(2);
    const { status, headers, body } = await send(gateway, PATH);
    expect([status, headers["retry-after"], JSON.parse(body).error.code]).toEqual([503, "1", "gateway/busy"]);
    for (const answer of waiting) answer();
    expect((await Promise.all(accepted)).map((answer) => answer.status)).toEqual([200, 200]);
  });
});

test("healthz needs no key and asks nobody; a WebSocket is a 426", async () => {
  let asked = 0;
  const { gateway } = await gatewayTo(endpoint, {
    tokens: tokenFunction(() => {
      asked += 1;
      return "token-of-the-tests";
    }),
  });
  const health = await raw(gateway, "GET /healthz HTTP/1.1\r\nHost: 10.0.0.7\r\nConnection: close\r\n\r\n");
  expect(health).toMatch(/^HTTP\/1\.1 200[\s\S]*\{"status":"ok"\}$/);
  const upgrade = [
    "GET /openai/v1/responses HTTP/1.1",
    "Host: 127.0.0.1",
    "Connection: Upgrade, close",
    "Upgrade: websocket",
  ];
  expect(statuses(await raw(gateway, `${upgrade.join("\r\n")}\r\n\r\n`))).toEqual([426]);
  expect([asked, reached]).toEqual([0, []]);
});

/** Listens like `resource`, and answers every connection's requests with these bytes. */
async function answering(bytes: string): Promise<string> {
  return resource((request) => void request.socket.write(bytes, "latin1"));
}

test("pipelined requests whose connection goes away do not stay active, and refused ones never count", async () => {
  const waiting = await resource((request) => void request.resume());
  const { gateway, log } = await gatewayTo(waiting, { limits: { maxRequests: 3 } });
  const lines = [`GET ${PATH} HTTP/1.1`, "Host: 127.0.0.1", `api-key: ${KEY}`];
  const forwarded = `${lines.join("\r\n")}\r\n\r\n`;
  const refused = "GET /nope HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  const health = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  const socket = connect(gateway.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(forwarded + forwarded + refused.repeat(5) + health.repeat(5));
  await expect.poll(() => gateway.active).toBe(2);
  // The third is let in: the refused ones take no place.
  const third = open(gateway, PATH);
  third.on("error", () => {});
  third.end("{}");
  await expect.poll(() => gateway.active).toBe(3);
  third.destroy();
  socket.destroy();
  await expect.poll(() => [gateway.active, log.length]).toEqual([0, 13]);
});

test("a reason phrase that cannot be sent is not passed on", async () => {
  const { gateway, log } = await gatewayTo(
    await answering("HTTP/1.1 200 O\x01K\r\ncontent-length: 2\r\n\r\n{}"),
  );
  const received = await raw(gateway, head(`GET ${PATH} HTTP/1.1`));
  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(received.endsWith("{}")).toBe(true);
  await expect.poll(() => log).toMatchObject([{ status: 200, outcome: "answered" }]);
});

test("an answer that cannot be passed on is explained, and its connection closed", async () => {
  let closed = 0;
  const odd = await resource((request) => {
    request.socket.once("close", () => {
      closed += 1;
    });
    request.socket.write("HTTP/1.1 099 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n");
  });
  const { gateway } = await gatewayTo(odd);
  const { status, body } = await send(gateway, "/anthropic/v1/messages");
  expect([status, JSON.parse(body)]).toMatchObject([
    502,
    { type: "error", error: { code: "model/network" } },
  ]);
  await expect.poll(() => closed).toBe(1);
});

test("the log holds paths alone: no user and password of a target, and not the key", async () => {
  const { gateway, log } = await gatewayTo(endpoint);
  for (const target of ["http://user:password@evil.example/v1/x?q", `/v1/${KEY}`])
    await raw(gateway, head(`GET ${target} HTTP/1.1`));
  await expect.poll(() => log.map(({ path }) => path)).toEqual(["/v1/x", "/v1/[redacted]"]);
});

test("a gateway that is logged does not show its key", async () => {
  const { gateway } = await gatewayTo(endpoint);
  expect(gateway.key).toBe(KEY);
  expect(inspect(gateway, { depth: 9 })).not.toContain(KEY);
  expect(JSON.stringify(gateway)).not.toContain(KEY);
});
