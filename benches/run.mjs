// Runs the programs of the benchmarks, each in a fresh process, with an emulator if it needs one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess } from "../tests/conformance/process.mjs";
import { tree } from "./tree.mjs";

const TIMEOUT_MS = 180_000;

/**
 * Runs a program once. Returns the result of `runProcess`, and in `identity` the number of requests
 * to the identity endpoint. `emulator` has the options of an emulator in this process, so that its
 * work is not measured. The program can move its clock (`process.send({ ahead })`) and add faults
 * (`process.send({ fault })`).
 */
export async function runProgram({
  program,
  args = [],
  flags = [],
  timeoutMs = TIMEOUT_MS,
  emulator,
  signal,
}) {
  let ahead = 0;
  const emulated =
    emulator && (await startEmulator({ ...emulator, clock: { now: () => Date.now() + ahead } }));
  const home = mkdtempSync(join(tmpdir(), "copilot-keyless-bench-"));
  try {
    const ended = await runProcess([...flags, join(tree.root, program), ...args], {
      node: tree.node,
      env: { HOME: home, COPILOT_HOME: join(home, "copilot"), TMPDIR: home, ...emulated?.env },
      timeoutMs,
      signal,
      onMessage: ({ fault, ...clock }) => {
        if (fault) emulated.faults.add({ times: Number.POSITIVE_INFINITY, ...fault });
        ahead = clock.ahead ?? ahead;
        return "done";
      },
    });
    return { ...ended, identity: emulated?.counts.identity };
  } finally {
    await emulated?.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Imported after the build. */
async function startEmulator(options) {
  const emulator = await import("copilot-keyless/emulator");
  return emulator.startEmulator({ chunkDelayMs: 0, ...options });
}
