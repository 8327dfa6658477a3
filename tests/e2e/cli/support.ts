// Runs the built command line, and checks how it reports failures.

import { join } from "node:path";
import { type Emulator, type Fault, startEmulator } from "copilot-keyless/emulator";
import { afterAll, expect } from "vitest";
import { newcomer, type Run, root, run } from "../../support/process.js";

/** Runs the command line as it was built. */
export function cli(
  args: readonly string[],
  env: Record<string, string> = newcomer(),
  input = "",
): Promise<Run> {
  return run(process.execPath, [join(root, "dist/cli.cjs"), ...args], { env, input });
}

/**
 * Expects the report of a failure: exit code 1, a few lines with a hint, no stack, colour or token.
 */
export function expectTold(result: Run, code: string, ...says: (string | RegExp)[]): void {
  expect(result.stderr).toContain(`(${code})`);
  for (const text of says) expect(result.stderr).toMatch(text);
  expect(result.code).toBe(1);
  expect(result.stdout).toBe("");
  expect(result.stderr.trim().split("\n").length).toBeLessThanOrEqual(8);
  expectClean(result);
}

export function expectClean({ stdout, stderr }: Run): void {
  for (const text of [stdout, stderr]) {
    expect(text).not.toMatch(/^\s+at .*[:(]/m);
    expect(text).not.toMatch(/eyJ[\w-]{10,}/);
    expect(text).not.toContain("\u001b");
  }
}

const emulators: Emulator[] = [];
afterAll(() => Promise.all(emulators.map((emulator) => emulator.stop())));

/** Starts an emulator with some faults. It is stopped after the tests of the file. */
export async function emulated(...faults: Fault[]): Promise<Emulator> {
  const emulator = await startEmulator();
  emulators.push(emulator);
  for (const fault of faults) emulator.faults.add(fault);
  return emulator;
}

/** A resource that refuses every request with an error of Azure. */
export function refusing(error: Extract<Fault, { kind: "status" }>["error"]): Fault {
  return { server: "foundry", kind: "status", times: Infinity, ...(error ? { error } : {}) };
}
