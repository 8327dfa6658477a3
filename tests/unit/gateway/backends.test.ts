// Tests a gateway with several backends: three emulators as three regions, each with an identity of
// its own.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import type { Gateway, GatewayBackend, GatewayOptions } from "copilot-keyless/gateway";
import OpenAI from "openai";
import { expect, onTestFinished, test, vi } from "vitest";
import type { NativeGateway } from "../../support/native-gateway.js";
import { answered, gatewayTo, isNative, KEY, open, resource, send } from "./support.js";

/** Moves the gateway's clock, from which pauses are counted; that of a process goes on by itself. */
let moved = 0;
const real = performance.now.bind(performance);
vi.spyOn(performance, "now").mockImplementation(() => real() + moved);
async function pass(ms: number): Promise<void> {
  if (isNative()) await sleep(ms);
  else moved += ms;
}

/** The backends as they are now. */
async function states(gateway: Gateway): Promise<readonly { name: string; pausedMs: number }[]> {
  return isNative() ? (gateway as unknown as NativeGateway).states() : gateway.backends;
}

async function region(port = 0): Promise<Emulator> {
  const emulator = await startEmulator({ chunkDelayMs: 0, port });
  onTestFinished(() => emulator.stop());
  return emulator;
}

/** A backend to an emulator, with its identity. */
function backend({ foundry, env }: Emulator, name: string, options: GatewayBackend = {}): GatewayBackend {
  return { name, endpoint: `${foundry.url}/openai/v1/`, env, credential: "direct", tokens: {}, ...options };
}

/** A gateway to backends, in the order of their priority. */
async function gatewayOf(backends: GatewayBackend[], options: GatewayOptions = {}) {
  const ordered = backends.map((one, priority) => ({ priority, ...one }));
  const all = { endpoint: undefined, tokens: undefined, backends: ordered, ...options };
  const { gateway, log } = await gatewayTo("", all);
  return { gateway: gateway as Gateway, log };
}

const turn = (more: object = {}) => JSON.stringify({ model: "gpt-5.5", input: "Hello", ...more });
const path = "/openai/v1/responses";
/** Makes an emulator know all responses, which without WebSockets it does not store. */
const storeResponses = ({ faults }: Emulator) =>
  faults.add({
    server: "foundry",
    kind: "body",
    match: { body: (body) => body.previous_response_id !== undefined },
    body: { id: "resp_0123456789abcdef", output: [] },
    times: "always",
  });
const turns = ({ requests }: Emulator) =>
  requests.filter(({ server, method }) => server === "foundry" && method === "POST").length;

test("a region is down: the next one answers, at once; it recovers by a probe", async () => {
  const [east, west] = [await region(), await region()];
  const { gateway, log } = await gatewayOf([backend(east, "east"), backend(west, "west")]);
  const ask = async () => (await send(gateway, path, turn())).status;
  expect(await ask()).toBe(200);
  expect([turns(east), turns(west)]).toEqual([1, 0]);
  await east.stop();
  expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(Array(20).fill(200));
  expect((await states(gateway)).map(({ name, pausedMs }) => [name, pausedMs > 0])).toEqual([
    ["east", true],
    ["west", false],
  ]);
  await expect.poll(() => log.length).toBe(21);
  const first = log.find(({ failed }) => failed !== undefined);
  expect(first).toMatchObject({ backend: "west", failed: [{ backend: "east", status: 0 }], status: 200 });
  log.length = 0;
  expect(await ask()).toBe(200);
  await expect.poll(() => log[0]).toMatchObject({ backend: "west" });
  expect(log[0]?.failed).toBeUndefined();
  const restarted = await region(east.foundry.port);
  // It answers any token, because it has not issued the one that the gateway still holds.
  restarted.faults.add({ server: "foundry", kind: "body", body: { id: "x" }, times: "always" });
  await pass(2_000);
  expect(await ask()).toBe(200);
  expect(await ask()).toBe(200);
  expect(restarted.counts.foundry).toBe(2);
  expect((await states(gateway))[0]?.pausedMs).toBe(0);
});

test("a region is slow: the next one is asked, and after three times at once", async () => {
  const [east, west] = [await region(), await region()];
  const slow = east.faults.add({ server: "foundry", kind: "hang", times: "always" });
  const { gateway, log } = await gatewayOf([
    backend(east, "east", { firstByteMs: 200 }),
    backend(west, "west"),
  ]);
  for (let count = 0; count < 4; count += 1) expect((await send(gateway, path, turn())).status).toBe(200);
  expect(slow.hits).toBe(3);
  await expect.poll(() => log.map(({ failed }) => failed?.length ?? 0)).toEqual([1, 1, 1, 0]);
  slow.remove();
  // It is as fast as this machine lets it be.
  await gateway.reload({
    env: {},
    backends: [backend(east, "east"), backend(west, "west", { priority: 1 })],
    onAccess: (entry) => log.push(entry),
  });
  expect((await states(gateway))[0]?.pausedMs).toBeGreaterThan(0);
  await pass(2_000);
  expect((await send(gateway, path, turn())).status).toBe(200);
  await expect.poll(() => log[4]?.backend).toBe("east");
});

test("a region at its quota: the next one answers until Retry-After; other models are not paused", async () => {
  const [east, west] = [await region(), await region()];
  const headers = { "retry-after": "7" };
  const full = { server: "foundry", kind: "status", status: 429, headers } as const;
  east.faults.add({ ...full, match: { model: "gpt-5.5" } });
  const { gateway, log } = await gatewayOf([backend(east, "east"), backend(west, "west")]);
  const ask = async (model: string) => {
    const { status } = await send(gateway, path, turn({ model }));
    await expect.poll(() => log.length).toBe(1);
    return [status, log.pop()?.backend];
  };
  expect(await ask("gpt-5.5")).toEqual([200, "west"]);
  expect(await ask("gpt-5.5")).toEqual([200, "west"]);
  expect(await ask("gpt-4o")).toEqual([200, "east"]);
  await pass(9_000);
  expect(await ask("gpt-5.5")).toEqual([200, "east"]);

  // All of them: the last 429 passes with its headers, then the gateway answers by itself.
  for (const one of [east, west]) one.faults.add(full);
  const first = await send(gateway, path, turn());
  expect([first.status, first.headers["retry-after"]]).toEqual([429, "7"]);
  const before = turns(east) + turns(west);
  const own = await send(gateway, path, turn());
  expect([own.status, JSON.parse(own.body).error.code]).toEqual([429, "gateway/quota"]);
  expect(Number(own.headers["retry-after"])).toBeGreaterThanOrEqual(7);
  expect(own.headers["x-should-retry"]).toBe("true");
  expect(turns(east) + turns(west)).toBe(before);
});

test("openai's client meets a region down, one slow and one at its quota, and none of it", async () => {
  const [east, west, north] = [await region(), await region(), await region()];
  await east.stop();
  west.faults.add({ server: "foundry", kind: "hang", times: "always" });
  north.faults.add({
    server: "foundry",
    kind: "status",
    status: 429,
    headers: { "retry-after-ms": "50" },
    times: 2,
  });
  const { gateway } = await gatewayOf([
    backend(east, "east", { priority: 0 }),
    backend(west, "west", { priority: 0, firstByteMs: 200 }),
    backend(north, "north", { priority: 0 }),
  ]);
  const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: KEY, maxRetries: 4 });
  const replies = await Promise.all(
    Array.from({ length: 10 }, () => client.responses.create({ model: "gpt-5.5", input: "Hello" })),
  );
  for (const { output_text } of replies) expect(output_text).toContain("Hello");
});

test("a conversation stays with the region that answered first, in a stream too", async () => {
  const [east, west] = [await region(), await region()];
  const { gateway, log } = await gatewayOf([backend(east, "east"), backend(west, "west")]);
  const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: KEY, maxRetries: 0 });
  east.faults.add({ server: "foundry", kind: "status", status: 503, times: 2 });
  storeResponses(west);
  const first = await client.responses.create({ model: "gpt-5.5", input: "Hello", store: true });
  let streamed = "";
  const stream = await client.responses.create({ model: "gpt-5.5", input: "Hi", store: true, stream: true });
  for await (const event of stream) if (event.type === "response.completed") streamed = event.response.id;
  for (const previous_response_id of [first.id, streamed]) {
    const { id } = await client.responses.create({ model: "gpt-5.5", input: "More", previous_response_id });
    expect(id).toMatch(/^resp_/);
  }
  await client.responses.create({ model: "gpt-5.5", input: "Another one" });
  await expect
    .poll(() => log.map(({ backend }) => backend))
    .toEqual(["west", "west", "west", "west", "east"]);

  // No other region can answer, so its quota and its failures are the client's.
  west.faults.clear();
  west.faults.add({ server: "foundry", kind: "status", status: 429, headers: { "retry-after": "9" } });
  storeResponses(west);
  const next = turn({ previous_response_id: first.id });
  expect((await send(gateway, path, next)).status).toBe(429);
  expect((await send(gateway, path, next)).status).toBe(429);
  expect((await send(gateway, path, turn())).status).toBe(200);

  // A gateway that does not know it asks everywhere.
  const other = await gatewayOf([backend(east, "east"), backend(west, "west")]);
  expect((await send(other.gateway, path, next)).status).toBe(200);
  await expect
    .poll(() => other.log[0])
    .toMatchObject({ backend: "west", failed: [{ backend: "east", status: 400 }] });
});

test("encrypted reasoning goes back to its resource; the answer is not compressed, the request may be", async () => {
  const secret = `gAAAAAB${"x".repeat(200)}`;
  const seen: string[] = [];
  const stub = (name: string) =>
    resource((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks);
        const text = request.headers["content-encoding"] ? gunzipSync(body).toString() : body.toString();
        seen.push(`${name} ${text.includes(secret)} ${request.headers["accept-encoding"]}`);
        response.end(JSON.stringify({ output: [{ type: "reasoning", encrypted_content: secret }] }));
      });
    });
  const backends = [{ endpoint: await stub("a") }, { endpoint: await stub("b") }];
  const tokens = (async () => "token-of-the-tests") as never;
  const { gateway } = await gatewayTo("", {
    endpoint: undefined,
    tokens,
    // Only b serves the model of the first turn.
    backends: [
      { ...backends[0], models: ["gpt-4o"] },
      { ...backends[1], priority: 1 },
    ],
  });
  await send(gateway, path, turn(), { "accept-encoding": "gzip" });
  const input = [{ type: "reasoning", encrypted_content: secret }];
  const sent = open(gateway, path, { headers: { "content-encoding": "gzip" } });
  sent.end(gzipSync(turn({ model: "gpt-4o", input })));
  expect((await answered(sent)).status).toBe(200);
  await send(gateway, path, turn({ model: "gpt-4o" }));
  expect(seen).toEqual(["b false undefined", "b true undefined", "a false undefined"]);
});

test("requests go by model; none serves an unknown one; each backend has its own token", async () => {
  const [east, west] = [await region(), await region()];
  const { gateway, log } = await gatewayOf([
    backend(east, "east", { models: ["gpt-4o"] }),
    backend(west, "west", { models: ["gpt-5.5"] }),
  ]);
  expect((await send(gateway, path, turn())).status).toBe(200);
  expect((await send(gateway, path, turn({ model: "gpt-4o" }))).status).toBe(200);
  const messages = JSON.stringify({ messages: [{ role: "user", content: "Hi" }] });
  const dated = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";
  expect((await send(gateway, dated, messages)).status).toBe(200);
  const { status, body } = await send(gateway, path, turn({ model: "gpt-6" }));
  expect([status, JSON.parse(body).error.code]).toEqual([404, "gateway/unknown-model"]);
  await expect.poll(() => log.map(({ backend }) => backend)).toEqual(["west", "east", "east", undefined]);
  expect([east.counts.identity, west.counts.identity]).toEqual([1, 1]);
});

test("a region whose identity fails is a region that is down", async () => {
  const [east, west] = [await region(), await region()];
  const tokens = (async () => {
    throw Object.assign(new Error("connect ECONNREFUSED 169.254.169.254:80"), { code: "ECONNREFUSED" });
  }) as never;
  const { gateway, log } = await gatewayOf([backend(east, "east", { tokens }), backend(west, "west")]);
  expect((await send(gateway, path, turn())).status).toBe(200);
  await expect.poll(() => log[0]?.failed).toEqual([{ backend: "east", status: 0 }]);
});

test("a revoked token is replaced in its region, and a missing role is told, not hidden", async () => {
  const [east, west] = [await region(), await region()];
  const { gateway, log } = await gatewayOf([backend(east, "east"), backend(west, "west")]);
  await send(gateway, path, turn());
  east.revokeTokens();
  east.foundry.setRoles([]);
  const { status, body } = await send(gateway, path, turn());
  expect([status, JSON.parse(body).error.code]).toEqual([400, expect.stringMatching(/^(model|token)\//)]);
  await expect.poll(() => log[1]?.backend).toBe("east");
  expect(turns(west)).toBe(0);
});

test("what was created is not created again, and nothing is repeated after the first byte", async () => {
  let [created, cut, other] = [0, 0, 0];
  const first = await resource((request, response) => {
    request.resume();
    if (request.url?.endsWith("/files")) {
      created += 1;
      response.writeHead(500).end("{}");
      return;
    }
    cut += 1;
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n", () => setTimeout(() => response.destroy(), 20));
  });
  const second = await resource((request, response) => {
    request.resume();
    other += 1;
    response.end("{}");
  });
  const tokens = (async () => "token-of-the-tests") as never;
  const backends = [{ endpoint: first }, { endpoint: second, priority: 1 }];
  const { gateway } = await gatewayTo("", { endpoint: undefined, tokens, backends });
  expect((await send(gateway, "/openai/v1/files")).status).toBe(500);
  await expect(send(gateway, path, turn())).rejects.toThrow();
  expect([created, cut, other]).toEqual([1, 1, 0]);
});

test("after a reload, requests in progress end and new ones have the new backends", async () => {
  const [east, west] = [await region(), await region()];
  const { gateway } = await gatewayOf([backend(east, "east")]);
  const held = east.faults.add({ server: "foundry", kind: "delay", delayMs: 300 });
  const before = send(gateway, path, turn({ store: true }));
  await expect.poll(() => held.hits).toBe(1);
  const options = { env: {}, backends: [backend(west, "west"), backend(east, "east", { priority: 1 })] };
  const reload = async (changed: GatewayOptions) => gateway.reload(changed);
  await expect(reload({ ...options, limits: { none: 1 } as never })).rejects.toThrow(/limits.none/);
  await expect(reload({ ...options, port: 1 })).rejects.toThrow(/port and host/);
  await expect(reload({ backends: [{ endpoint: "" }] })).rejects.toThrow();
  expect((await states(gateway)).map(({ name }) => name)).toEqual(["east"]);
  await reload(options);
  expect(gateway.key).toBe(KEY);
  expect((await states(gateway)).map(({ name }) => name)).toEqual(["west", "east"]);
  expect((await send(gateway, path, turn())).status).toBe(200);
  expect(turns(west)).toBe(1);
  const { status, body } = await before;
  expect(status).toBe(200);

  // Who made the response was not noted while there was one backend: it is found.
  const { id } = JSON.parse(body) as { id: string };
  storeResponses(east);
  const next = turn({ previous_response_id: id });
  expect((await send(gateway, path, next)).status).toBe(200);
  await reload({ ...options, key: "another-key-of-tests" });
  expect((await send(gateway, path, next)).status).toBe(401);
  expect((await send(gateway, path, next, { "api-key": "another-key-of-tests" })).status).toBe(200);
});

test("a body that is not kept is not sent to another backend", async () => {
  const bodies: number[] = [];
  const full = await resource((request, response) => {
    let size = 0;
    request.on("data", (chunk) => {
      size += chunk.length;
    });
    request.on("end", () => {
      bodies.push(size);
      response.writeHead(429, { "retry-after": "1" }).end("{}");
    });
  });
  const tokens = (async () => "token-of-the-tests") as never;
  const backends = [
    { endpoint: full },
    { endpoint: await resource((_, response) => void response.end()), priority: 1 },
  ];
  const { gateway } = await gatewayTo("", {
    endpoint: undefined,
    tokens,
    backends,
    limits: { bufferBytes: 1_000 },
  });
  const sent = open(gateway, path);
  sent.write(`{"model":"gpt-5.5","input":"${"x".repeat(100_000)}`);
  await once(sent, "socket");
  sent.end('"}');
  expect((await answered(sent)).status).toBe(429);
  expect(bodies).toEqual([100_030]);
});
