// Runs the programs of the benchmarks: a fresh process each, with an emulator beside it where it needs one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess } from "../tests/conformance/process.mjs";

const TIMEOUT_MS = 180_000;

const root = join(import.meta.dirname, "..");

/**
 * One run. Gives what `runProcess` does, and `identity`: the requests that the identity endpoint saw. `emulator` are options of one in this
 * process, so that what it does is not measured; the program may set its clock (`process.send({ ahead })`) and give it faults
 * (`process.send({ fault })`).
 */
export async function runProgram({ program, args = [], flags = [], emulator, signal }) {
  let ahead = 0;
  const emulated =
    emulator && (await startEmulator({ ...emulator, clock: { now: () => Date.now() + ahead } }));
  const home = mkdtempSync(join(tmpdir(), "copilot-keyless-bench-"));
  try {
    const ended = await runProcess([...flags, join(root, program), ...args], {
      env: { HOME: home, COPILOT_HOME: join(home, "copilot"), TMPDIR: home, ...emulated?.env },
      timeoutMs: TIMEOUT_MS,
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

/** Not before the package is built. */
async function startEmulator(options) {
  const emulator = await import("copilot-keyless/emulator");
  return emulator.startEmulator({ chunkDelayMs: 0, ...options });
}
