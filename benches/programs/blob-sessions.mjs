// Measures turns of a conversation that Blob Storage keeps, beside one in local files: the first
// byte with storage that takes 0, 5 and 20 ms more, requests and bytes, and a turn after 200 turns.
// Azurite is the storage, behind a proxy that counts and waits, in this process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createChatHandler } from "copilot-keyless/http";
import { createContainer, startAzurite, storageToken } from "../../tests/support/azurite.mjs";
import { startStorageProxy } from "../../tests/support/storage-proxy.mjs";
import { median } from "../median.mjs";
import { report } from "./systems.mjs";

const [name, turns = "200"] = process.argv.slice(2);
const SAMPLES = 15;

/** Each returns the options of a handler, what was asked of the storage, and how to end. */
const SYSTEMS = {
  async "copilot-keyless"() {
    // The client in this process does not check Azurite's certificate; there is no other request.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    const { blobConversations } = await import("copilot-keyless/blob-sessions");
    const azurite = await startAzurite();
    await createContainer(azurite, "conversations");
    const storage = await startStorageProxy(azurite);
    const credential = {
      getToken: async () => ({ token: storageToken(), expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    const { account } = storage;
    return {
      options: { conversations: blobConversations({ account, container: "conversations", credential }) },
      storage,
      stop: async () => {
        await storage.stop();
        await azurite.stop();
      },
    };
  },
  async "local files"() {
    const baseDirectory = mkdtempSync(join(tmpdir(), "copilot-keyless-bench-"));
    const stop = () => rmSync(baseDirectory, { recursive: true, force: true, maxRetries: 5 });
    const durable = { baseDirectory, secret: "a secret of the benchmark, long enough" };
    return { options: { durable }, storage: { calls: [], bytes: 0 }, stop };
  },
};

const { options, storage, stop } = await SYSTEMS[name]();
const handler = createChatHandler({ authorize: "anonymous", ...options });
let sessionId;
let asked = 0;

/** One turn. Returns the milliseconds to its first byte. */
async function turn() {
  asked += 1;
  const began = performance.now();
  const response = await handler(
    new Request("http://localhost/api/chat", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ prompt: `Turn ${asked}`, sessionId }),
    }),
  );
  let first;
  let text = "";
  for await (const chunk of response.body) {
    first ??= performance.now();
    text += Buffer.from(chunk);
  }
  const done = /^event: done\ndata: (.*)$/m.exec(text)?.[1];
  if (!done) throw new Error(`Turn ${asked} was answered ${response.status}: ${text.slice(-500)}`);
  sessionId = JSON.parse(done).sessionId;
  return first - began;
}

/** Medians by the latency of the storage, in turn, since the history grows meanwhile. */
async function mediansBy(latencies) {
  const times = new Map(latencies.map((ms) => [ms, []]));
  for (let sample = 0; sample < SAMPLES; sample += 1)
    for (const [ms, list] of times) {
      storage.fault = () => (ms > 0 ? { delayMs: ms } : undefined);
      list.push(await turn());
      // The lease of this turn is given back meanwhile: users do not ask again at once.
      await sleep(100);
    }
  storage.fault = () => undefined;
  return latencies.map((ms) => median(times.get(ms)));
}

for (let warm = 0; warm < 3; warm += 1) await turn();
const before = { calls: storage.calls.length, bytes: storage.bytes };
const [first0, first5, first20] = await mediansBy([0, 5, 20]);
const measured = asked - 3;
const requests = (storage.calls.length - before.calls) / measured;
const kilobytes = (storage.bytes - before.bytes) / measured / 1_024;
while (asked < Number(turns)) await turn();
const [resumed0, resumed20] = await mediansBy([0, 20]);
const found = { first0, first5, first20, added: first20 - first0, requests, kilobytes, resumed0, resumed20 };
report(found);
await handler.close();
await stop();
process.exit();
