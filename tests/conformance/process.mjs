// Runs a program that reports its findings, in its own process.

import { spawn } from "node:child_process";

/** Variables that could lead a program to a real identity, or change how Node runs it. */
const FOREIGN = /^(AZURE_|IDENTITY_|MSI_|FOUNDRY_|OPENAI_|COPILOT_|NODE_|VITEST)/;

/**
 * Returns `{ code, stderr, report }`: the exit code (null after a signal), and the last line of the
 * output as JSON, if there is one. `onMessage` receives the program's messages; the program
 * receives its results.
 */
export function runProcess(args, { node = process.execPath, env = {}, timeoutMs, signal, onMessage }) {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)));
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, {
      env: { ...own, ...env },
      stdio: ["ignore", "pipe", "pipe", ...(onMessage ? ["ipc"] : [])],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      signal,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("message", (message) => child.send(onMessage(message)));
    // An abort also emits an error; `close` follows.
    child.on("error", (error) => signal?.aborted || reject(error));
    child.on("close", (code) => {
      const line = stdout.trim().split("\n").at(-1);
      resolve({ code, stderr, report: line ? JSON.parse(line) : undefined });
    });
  });
}
