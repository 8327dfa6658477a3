// Measures many providers in one process, which share their tokens: `node providers.mjs <count>`.

import { createFoundryProvider } from "copilot-keyless";
import { heapBytes } from "./heap.mjs";

const count = Number(process.argv[2]);
const ROUNDS = Math.max(5, Math.ceil(200_000 / count));

// The first one loads modules, which are not counted.
const first = createFoundryProvider();
await first.config.bearerTokenProvider();
const before = heapBytes();
const providers = Array.from({ length: count }, (_, index) =>
  createFoundryProvider({ headers: { "x-session": String(index) } }),
);
await Promise.all(providers.map((one) => one.config.bearerTokenProvider()));
const bytes = (heapBytes() - before) / count;

const bearers = providers.map(({ config }) => config.bearerTokenProvider);
const began = process.hrtime.bigint();
for (let round = 0; round < ROUNDS; round += 1) for (const bearer of bearers) await bearer();
const nanoseconds = Number(process.hrtime.bigint() - began) / (ROUNDS * count);
process.stdout.write(JSON.stringify({ "bytes of heap each": bytes, "ns a cached call": nanoseconds }));
for (const one of [first, ...providers]) one.close();
