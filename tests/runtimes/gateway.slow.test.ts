// Serves edge gateways by the servers of workerd, Deno and Bun, and asks them over real HTTP.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Emulator, startEmulator } from "copilot-keyless/emulator";
import OpenAI, { BadRequestError, RateLimitError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installed } from "../package/support.js";
import { newcomer, root } from "../support/process.js";
import { ENGINES } from "./support.js";
import { startWorker, type Worker } from "./workerd.js";

const KEY = "key-of-the-tests-1";
const folder = installed();
copyFileSync(join(root, "tests/runtimes/gateway-server.mjs"), join(folder, "gateway-server.mjs"));

/** Starts a server of Deno or Bun. */
async function program(command: string, args: string[], env: Record<string, string>): Promise<Worker> {
  const child = spawn(join(ENGINES, ".bin", command), [...args, "gateway-server.mjs", JSON.stringify(env)], {
    cwd: folder,
    env: newcomer(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(createInterface(child.stdout), "line")) as [string];
  return { address: `http://127.0.0.1:${port}/`, stop: () => child.kill("SIGKILL") };
}

const SERVERS: [name: string, start: (env: Record<string, string>) => Promise<Worker>][] = [
  ["workerd", (env) => startWorker(folder, "gateway-worker", env)],
  ["Deno", (env) => program("deno", ["run", "--no-prompt", "--allow-net"], env)],
  ["Bun", (env) => program("bun", [], env)],
];

describe.each(SERVERS)("%s", (_name, start) => {
  let emulator: Emulator;
  let worker: Worker;
  let client: OpenAI;
  beforeAll(async () => {
    emulator = await startEmulator({ chunkDelayMs: 20, platformCache: false });
    worker = await start({ ...emulator.env, GATEWAY_KEY: KEY });
    client = new OpenAI({ baseURL: `${worker.address}openai/v1`, apiKey: KEY, maxRetries: 0 });
  });
  afterAll(async () => {
    worker.stop();
    await emulator.stop();
  });

  const input = { model: "gpt-5.5", input: "Hello, how are you?" };

  test("a turn, a stream and a body of 6 MB", async () => {
    expect((await client.responses.create(input)).output_text).toContain("Hello");
    const arrived: number[] = [];
    let text = "";
    for await (const event of await client.responses.create({ ...input, stream: true })) {
      if (event.type !== "response.output_text.delta") continue;
      text += event.delta;
      arrived.push(performance.now());
    }
    expect(text).toContain("how are you?");
    // As it comes: not all of it at the end.
    expect((arrived.at(-1) as number) - (arrived[0] as number)).toBeGreaterThan(30);
    const long = await client.responses.create({ ...input, instructions: "x".repeat(6_000_000) });
    expect(long.output_text).toContain("Hello");
    expect(emulator.counts.identity).toBe(1);
  });

  test("a revoked token is renewed once for all, and a missing role explained", async () => {
    emulator.revokeTokens();
    const before = emulator.counts.identity;
    await Promise.all(Array.from({ length: 10 }, () => client.responses.create(input)));
    // The direct credential first asks the host to renew the token, which App Service's refuses.
    expect(emulator.counts.identity - before).toBeLessThanOrEqual(2);
    emulator.foundry.setRoles([]);
    const error = await client.responses.create(input).catch((thrown: unknown) => thrown);
    emulator.foundry.setRoles(["Foundry User"]);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({
      code: "model/missing-role",
      message: expect.stringContaining("az role assignment create"),
    });
  });

  test("a 429 passes with its headers, and a redirect is not followed", async () => {
    const answer = { server: "foundry", kind: "status" } as const;
    emulator.faults.add({ ...answer, status: 429, headers: { "retry-after": "7" } });
    const limited = await client.responses.create(input).catch((thrown: unknown) => thrown);
    expect(limited).toBeInstanceOf(RateLimitError);
    expect((limited as RateLimitError).headers.get("retry-after")).toBe("7");
    emulator.faults.add({ ...answer, status: 307, headers: { location: "http://127.0.0.1:9/" } });
    const redirected = await client.responses.create(input).catch((thrown: unknown) => thrown);
    expect(redirected).toMatchObject({ status: 400, code: "gateway/redirect" });
  });

  test("a stream that is cut off breaks off for the client", async () => {
    emulator.faults.add({ server: "foundry", kind: "cut-stream" });
    const response = await fetch(`${worker.address}openai/v1/responses`, {
      method: "POST",
      headers: { "api-key": KEY, "content-type": "application/json" },
      body: JSON.stringify({ ...input, stream: true }),
    });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });

  test("a client that leaves ends the request to the resource", async () => {
    const before = emulator.requests.filter(({ aborted }) => aborted).length;
    emulator.replies.add({ text: "word ".repeat(500) });
    const sent = request(`${worker.address}openai/v1/responses`, {
      method: "POST",
      headers: { "api-key": KEY, "content-type": "application/json" },
    });
    sent.on("error", () => {});
    sent.end(JSON.stringify({ ...input, stream: true }));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    await once(response, "data");
    sent.destroy();
    await expect.poll(() => emulator.requests.filter(({ aborted }) => aborted).length).toBe(before + 1);
  });

  test("strangers are refused", async () => {
    const status = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(worker.address + path, init);
      await response.text();
      return response.status;
    };
    expect(await status("healthz")).toBe(200);
    expect(await status("openai/v1/models")).toBe(401);
    const headers = { "api-key": KEY, origin: "https://evil.example" };
    expect(await status("openai/v1/models", { headers })).toBe(403);
    expect(await status("openai/v1/models", { method: "OPTIONS", headers })).toBe(405);
    expect(await status("openai/v1/a%2f..%2fadmin", { headers: { "api-key": KEY } })).toBe(400);
  });
});
