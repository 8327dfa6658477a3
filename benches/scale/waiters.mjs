// Measures callers who all wait for one token, with a listener that takes 20 ms for each event: `node
// waiters.mjs <count>`.

import { createBearerTokenProvider } from "copilot-keyless";
import { heapBytes } from "./heap.mjs";

const count = Number(process.argv[2]);
const LISTENER_MS = 20;

let events = 0;
const slow = () => {
  events += 1;
  for (const until = performance.now() + LISTENER_MS; performance.now() < until; );
};

let requests = 0;
let answer;
const answered = new Promise((resolve) => {
  answer = resolve;
});
const credential = {
  async getToken() {
    requests += 1;
    await answered;
    return { token: "t".repeat(1_600), expiresOnTimestamp: Date.now() + 3_600_000 };
  },
};

const bearer = createBearerTokenProvider(credential, "https://ai.azure.com/.default", { onEvent: slow });
// The first caller loads the module, which is not counted.
const first = bearer();
await new Promise((resolve) => setTimeout(resolve, 100));
const before = heapBytes();
const waiting = Array.from({ length: count }, () => bearer());
const bytes = (heapBytes() - before) / count;
const began = performance.now();
answer();
const tokens = new Set(await Promise.all([first, ...waiting]));
const servedMs = performance.now() - began;
const report = { events, "bytes of heap each": bytes, "ms until all are served": servedMs };
process.stdout.write(
  JSON.stringify({ "identity requests": requests, "different tokens": tokens.size, ...report }),
);
process.exit();
