// Runs a program that reports what it found, in a process of its own.

import { spawn } from "node:child_process";

/** What would lead a program to somebody's real identity, or change how Node runs it. */
const FOREIGN = /^(AZURE_|IDENTITY_|MSI_|FOUNDRY_|OPENAI_|COPILOT_|NODE_|VITEST)/;

/**
 * Gives `{ code, stderr, report }`: the exit code, null when a signal ended it, and the last line of its output as JSON, if there is one. With
 * `onMessage` the program can send messages and is answered with what that returns.
 */
export function runProcess(args, { env = {}, timeoutMs, signal, onMessage }) {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
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
    // An abort is told as an error too; the end follows.
    child.on("error", (error) => signal?.aborted || reject(error));
    child.on("close", (code) => {
      const line = stdout.trim().split("\n").at(-1);
      resolve({ code, stderr, report: line ? JSON.parse(line) : undefined });
    });
  });
}
