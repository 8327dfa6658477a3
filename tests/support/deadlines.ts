// Tests deadlines during garbage collection: runs a program in each runtime against a server that
// sends half a response and then nothing.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { newcomer, root, run } from "./process.js";

const PROGRAM = join(root, "tests/support/deadline.mjs");

const HALVES: Record<string, [type: string, half: string]> = {
  "/openai/v1/responses": [
    "text/event-stream",
    'data: {"type":"response.output_text.delta","delta":"Hello"}\n\n',
  ],
  "/token": ["application/json", '{"access_token":"ey'],
};

/**
 * The result of each call after its timeout: a diagnosis or an error code; with a signal, its
 * reason.
 */
const ENDS: Record<string, string> = {
  streamChat: "model/network",
  probe: "network",
  credential: "credential/network",
};

/** Tests deadlines in the runtime of a command line. */
export function testDeadlines(command: string, args: readonly string[] = ["--expose-gc"]): void {
  const server = createServer((request, response) => {
    const [type, half] = HALVES[new URL(request.url ?? "", "http://x").pathname] ?? ["application/json", "{"];
    response.writeHead(200, { "content-type": type }).write(half);
  });
  const listening = new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const rows = Object.entries(ENDS).flatMap(([api, end]) => [
    [`${api}, timeout`, api, "timeout", end] as const,
    [`${api}, deaf`, api, "deaf", end] as const,
    [`${api}, signal`, api, "signal", "aborted"] as const,
    [`${api}, any`, api, "any", "aborted"] as const,
    [`${api}, platform`, api, "platform", /time(out|d out)/] as const,
  ]);
  test.each(rows)("ends in its time while memory is collected: %s", async (_title, api, mode, end) => {
    await listening;
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // A deadline that garbage collection has lost never comes.
    const late = AbortSignal.timeout(30_000);
    const done = await Promise.race([
      run(command, [...args, PROGRAM, api, address, mode], { env: newcomer() }),
      new Promise<never>((_resolve, reject) => late.addEventListener("abort", () => reject(late.reason))),
    ]);
    expect(done.stderr).toBe("");
    const { ms, code } = JSON.parse(done.stdout) as { ms: number; code: string };
    // Platforms use different texts.
    if (typeof end === "string") expect(code).toBe(end);
    else expect(code).toMatch(end);
    expect(ms).toBeGreaterThan(500);
  });
}
