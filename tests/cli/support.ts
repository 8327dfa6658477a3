import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** An environment of a newcomer: nothing of Azure in it, no `az` on the PATH, an empty home. */
export function newcomer(env: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: dirname(process.execPath),
    HOME: mkdtempSync(join(tmpdir(), "copilot-keyless-home-")),
    ...env,
  };
}

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  { env, cwd = root, input = "" }: { env: Record<string, string>; cwd?: string; input?: string },
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** Runs the command line as it was built. */
export function cli(
  args: readonly string[],
  env: Record<string, string> = newcomer(),
  input = "",
): Promise<Run> {
  return run(process.execPath, [join(root, "dist/cli.js"), ...args], { env, input });
}

/** A failure told to a person: exit code 1, a few lines, what to do, no stack, no colour, no token. */
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
