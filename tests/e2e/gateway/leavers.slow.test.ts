// Tests that the gateway loses no request and keeps nothing open, whatever clients and the resource
// do: clients that leave at odd moments, and a resource that breaks off, falls silent, rejects tokens
// or answers early. Each request has one line in the log; after close() its process ends by itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
// @ts-expect-error It is plain JavaScript.
import { randomOf } from "../../soak/random.mjs";
import { root } from "../../support/process.js";
// @ts-expect-error It is plain JavaScript.
import { leave, stay } from "./leavers/clients.mjs";
// @ts-expect-error It is plain JavaScript.
import { startResource, WAYS } from "./leavers/resource.mjs";

const KEY = "key-of-the-leavers-1";
const CLIENTS = 16;

/** What a resource does that keeps a request in progress. */
const LASTING = ["never answers", "never ends", "refuses and falls silent", "refuses and goes on"];

async function run(seed: number, count: number) {
  const resource = await startResource();
  onTestFinished(() => resource.close());
  const args = [join(root, "tests/e2e/gateway/leavers/gateway.mjs"), resource.url, KEY];
  const child = spawn(process.execPath, ["--unhandled-rejections=strict", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value as string);
  const port = Number(new URL((await next()).url).port);
  const ways = Object.keys(WAYS);
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, index) =>
      leave({ port, key: KEY, ways, count, random: randomOf(seed, `client ${index}`) }),
    ),
  );
  const staying = LASTING.map((way) => stay({ port, key: KEY, way }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const ended = once(child, "exit");
  child.stdin.end();
  const told = await next();
  const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
  const [exit] = await ended;
  clearTimeout(late);
  await Promise.all(staying);
  await expect.poll(() => resource.open).toBe(0);
  return { ...told, exit };
}

test.each([1, 2])("each request is logged once, and the process ends by itself (seed %d)", async (seed) => {
  const { arrived, logged, inProgress, ...rest } = await run(seed, 40);
  expect(rest).toEqual({ active: 0, open: [], exit: 0 });
  // On a busy machine, many leave before their request has arrived.
  expect(arrived).toBeGreaterThan(CLIENTS * 5);
  expect(logged).toBe(arrived);
  expect(inProgress).toBeGreaterThan(0);
});
