// Starts the program of the gateway: `copilot-keyless gateway`, or the native one.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { type Run, root, run } from "../../support/process.js";

/** A command without its options. */
let program: readonly [command: string, ...args: string[]] = [
  process.execPath,
  join(root, "dist/cli.cjs"),
  "gateway",
];

/** Makes the tests of this file start another program. */
export function useProgram(...other: typeof program): void {
  program = other;
}

/** Runs the gateway to its end. */
export function gateway(args: readonly string[], env: Record<string, string>): Promise<Run> {
  const [command, ...own] = program;
  return run(command, [...own, ...args], { env });
}

/** Starts the gateway, and returns the first line that it prints. */
export async function startGateway(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ child: ChildProcessByStdio<null, Readable, Readable>; line: string }> {
  const [command, ...own] = program;
  const child = spawn(command, [...own, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, line };
}

/** Asks the model through the environment's gateway. */
export const ASK = `
  const { OPENAI_BASE_URL, OPENAI_API_KEY } = process.env;
  const response = await fetch(OPENAI_BASE_URL + "/responses", {
    method: "POST",
    headers: { authorization: "Bearer " + OPENAI_API_KEY, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5.5", input: "Hello" }),
  });
  console.log(response.status, (await response.text()).includes("Hello"));`;
