// Runs the tests of streams on edge gateways, and tests what `fetch` does in another way.

import { createHash, randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect, test, vi } from "vitest";
import { edgeGateway } from "./edge-support.js";
import { answered, gatewayTo, open, resource, send, useGateways } from "./support.js";

useGateways(edgeGateway, "edge");
// The server reports each answer that breaks off.
vi.spyOn(console, "error").mockImplementation(() => {});
await import("./streams.slow.test.js");

const PATH = "/openai/v1/responses";
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("headers, query and body arrive, with the token in place of the key", async () => {
  const seen: unknown[] = [];
  const endpoint = await resource(async (request, response) => {
    const { url, headers } = request;
    seen.push({ url, headers, body: hash(await buffer(request)) });
    response.writeHead(207, ["X-Two", "1", "X-Two", "2", "Set-Cookie", "a=1", "Set-Cookie", "b=2"]).end("ok");
  });
  const { gateway } = await gatewayTo(endpoint, { headers: { "X-Team": "one" } });
  const body = gzipSync(randomBytes(100_000));
  const keys = ["Authorization", "Bearer x", "X-Api-Key", "y", "Accept-Encoding", "br"];
  const sent = open(gateway, `${PATH}?a=%20b&c=[1]`, {
    headers: ["Content-Encoding", "gzip", "X-A", "1", ...keys, "Content-Length", `${body.length}`],
  });
  sent.end(body);
  const answer = await answered(sent);
  expect(answer).toMatchObject({ status: 207, body: "ok" });
  expect(answer.headers).toMatchObject({ "x-two": "1, 2", "set-cookie": ["a=1", "b=2"] });
  expect(seen).toEqual([{ url: `${PATH}?a=%20b&c=[1]`, headers: expect.anything(), body: hash(body) }]);
  const [{ headers }] = seen as [{ headers: Record<string, string> }];
  expect(headers).toMatchObject({
    host: new URL(endpoint).host,
    authorization: "Bearer token-of-the-tests",
    "content-encoding": "gzip",
    "content-length": `${body.length}`,
    "accept-encoding": "identity",
    "x-a": "1",
    "x-team": "one",
  });
  expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(["api-key"]));
  expect(JSON.stringify(headers)).not.toContain("key-of-the-tests");
});

test("an answer that is compressed all the same: gzip arrives decompressed, others are a 502", async () => {
  const endpoint = await resource((request, response) => {
    const encoding = request.url?.endsWith("gzip") ? "gzip" : "br";
    const bytes = encoding === "gzip" ? gzipSync("text") : brotliCompressSync("text");
    response.writeHead(200, { "content-encoding": encoding, "content-length": bytes.length }).end(bytes);
  });
  const { gateway } = await gatewayTo(endpoint);
  const { status, headers, body } = await send(gateway, "/openai/v1/files/gzip");
  expect([status, headers["content-encoding"], body]).toEqual([200, undefined, "text"]);
  expect((await send(gateway, "/openai/v1/files/br")).status).toBe(502);
});

test("a body that turns out too large is a 413", async () => {
  const endpoint = await resource(async (request, response) => {
    await buffer(request).catch(() => {});
    response.end();
  });
  const { gateway } = await gatewayTo(endpoint, { limits: { maxBodyBytes: 1_000, bufferBytes: 100 } });
  for (const length of ["2000", undefined]) {
    const sent = open(gateway, PATH, {
      headers: length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": length },
    });
    sent.on("error", () => {});
    const answer = answered(sent);
    for (let index = 0; index < 20; index += 1) sent.write("x".repeat(100));
    const { status, body } = await answer;
    expect([status, JSON.parse(body).error.code]).toEqual([413, "gateway/body-too-large"]);
    sent.destroy();
  }
});
