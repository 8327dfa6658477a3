// Runs the programs of the benchmarks: a fresh process each, with an emulator beside it where it needs one.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TIMEOUT_MS = 180_000;

/** What would lead a program to somebody's real identity, or change how Node runs it. */
const FOREIGN = /^(AZURE_|IDENTITY_|MSI_|FOUNDRY_|OPENAI_|COPILOT_|NODE_|VITEST)/;

const root = join(import.meta.dirname, "..");

/**
 * One run. Gives `{ code, report, identity, stderr }`: how the process ended, its last line as JSON, and the requests that the identity
 * endpoint saw. `emulator` are options of one in this process, so that what it does is not measured; the program may set its clock
 * (`process.send({ ahead })`) and give it faults (`process.send({ fault })`).
 */
export async function runProgram({ program, args = [], flags = [], emulator, signal }) {
  let ahead = 0;
  const emulated =
    emulator && (await startEmulator({ ...emulator, clock: { now: () => Date.now() + ahead } }));
  const home = mkdtempSync(join(tmpdir(), "copilot-keyless-bench-"));
  try {
    const { code, stdout, stderr } = await ended([...flags, join(root, program), ...args], {
      env: { ...own(home), ...emulated?.env },
      signal,
      onMessage: (child, { fault, ...clock }) => {
        if (fault) emulated.faults.add({ times: Number.POSITIVE_INFINITY, ...fault });
        ahead = clock.ahead ?? ahead;
        child.send("done");
      },
    });
    const line = stdout.trim().split("\n").at(-1);
    return { code, stderr, report: line ? JSON.parse(line) : undefined, identity: emulated?.counts.identity };
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

function own(home) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)));
  return { ...env, HOME: home, COPILOT_HOME: join(home, "copilot"), TMPDIR: home };
}

function ended(args, { env, signal, onMessage }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      signal,
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("message", (message) => onMessage(child, message));
    // An abort is told as an error too; the end follows.
    child.on("error", (error) => signal?.aborted || reject(error));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
