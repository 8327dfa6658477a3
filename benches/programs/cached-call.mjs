// Measures a call that finds a cached token: nanoseconds, or bytes of the heap.
import { GCProfiler } from "node:v8";
import { median } from "../median.mjs";
import { report, system } from "./systems.mjs";

const [name, what, effort = "1"] = process.argv.slice(2);
const BATCHES = 25;
const BATCH_NS = 6e6 * Number(effort);
const WARM_NS = 4e8 * Number(effort);
/** MSAL's functions are compiled late. */
const WARM_CALLS = 15_000;
const HEAP_BATCHES = 9;
const HEAP_CALLS = 1_000;

const provide = await system(name);
await provide();

async function calls(count) {
  const began = process.hrtime.bigint();
  for (let n = 0; n < count; n += 1) await provide();
  return Number(process.hrtime.bigint() - began);
}

async function nanoseconds() {
  await calls(WARM_CALLS);
  let each = 0;
  for (let spent = 0; spent < WARM_NS; ) {
    const took = await calls(1_000);
    each = took / 1_000;
    spent += took;
  }
  const count = Math.max(100, Math.round(BATCH_NS / each));
  const found = [];
  for (let batch = 0; batch < BATCHES; batch += 1) found.push((await calls(count)) / count);
  return median(found);
}

/** Compares the heap before and after; it is large enough for nothing to be collected meanwhile. */
async function bytes() {
  await calls(WARM_CALLS);
  const found = [];
  for (let batch = 0; batch < HEAP_BATCHES; batch += 1) {
    globalThis.gc();
    const profiler = new GCProfiler();
    profiler.start();
    const before = process.memoryUsage().heapUsed;
    await calls(HEAP_CALLS);
    const after = process.memoryUsage().heapUsed;
    if (profiler.stop().statistics.length === 0) found.push((after - before) / HEAP_CALLS);
  }
  if (found.length < HEAP_BATCHES / 2) throw new Error("The heap was collected in the midst of most batches");
  return median(found);
}

report(what === "heap" ? { bytes: await bytes() } : { ns: await nanoseconds() });
process.exit();
