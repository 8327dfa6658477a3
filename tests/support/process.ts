import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Returns the environment of a new user: no Azure variables, no `az` on the PATH, an empty home.
 */
export function newcomer(env: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: dirname(process.execPath),
    HOME: mkdtempSync(join(tmpdir(), "copilot-keyless-home-")),
    ...env,
  };
}

/** Runs a program to its end, or until `signal`. */
export function run(
  command: string,
  args: readonly string[],
  {
    env,
    cwd = root,
    input = "",
    signal,
  }: { env: Record<string, string>; cwd?: string; input?: string; signal?: AbortSignal },
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, signal });
    // A program that ends without reading its input closes the pipe: the exit code says how it ended.
    child.stdin.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") reject(error);
    });
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
