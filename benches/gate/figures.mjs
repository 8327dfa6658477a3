// Prints the figures of a built checkout as JSON: `node benches/gate/figures.mjs <folder>`. Only
// bytes, no times: the sizes of what is published, and the heap that a cached call takes.

import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { median } from "../median.mjs";

const CALLS = "benches/programs/cached-call.mjs";
const LARGE_HEAP = ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"];
const RUNS = 3;

const folder = resolve(process.argv[2]);
const { sizes } = await import(pathToFileURL(join(folder, "benches/sizes.mjs")));
const { runProgram } = await import(pathToFileURL(join(folder, "benches/run.mjs")));

const heap = [];
for (let n = 0; n < RUNS; n += 1) {
  const { report, stderr } = await runProgram({
    program: CALLS,
    args: ["copilot-keyless", "heap"],
    flags: LARGE_HEAP,
    emulator: {},
  });
  if (!report) throw new Error(`${CALLS} gave no figure\n${stderr}`);
  heap.push(report.bytes);
}
const { peerInstalled, peerPackages, managedIdentityBundle, ...own } = await sizes();
// The emulator's sockets may stay open for a while.
process.stdout.write(`${JSON.stringify({ "heap of a cached call": median(heap), ...own })}\n`, () =>
  process.exit(),
);
