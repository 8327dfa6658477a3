import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a program ended. */
export interface Ended<T> {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  stderr: string;
  /** What it reported, if it came to that. */
  report: T | undefined;
}

/** Longer than any program takes, even on a busy machine. */
const TIMEOUT_MS = 50_000;

/** What would lead a program to somebody's real identity, or change how Node runs it. */
const FOREIGN = /^(AZURE_|IDENTITY_|MSI_|FOUNDRY_|OPENAI_|COPILOT_|NODE_|VITEST)/;

/**
 * Runs a scenario in a process of its own: a fault of the system under test must not end the test's process, and MSAL keeps
 * its tokens and the kind of managed identity per process.
 */
export function run<T>(program: string, args: readonly string[], flags: readonly string[] = []) {
  const file = fileURLToPath(new URL(`programs/${program}.mjs`, import.meta.url));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)));
  return new Promise<Ended<T>>((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, file, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
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
    child.on("error", reject);
    child.on("close", (code) => {
      const line = stdout.trim().split("\n").at(-1);
      resolve({ code, stderr, report: line ? (JSON.parse(line) as T) : undefined });
    });
  });
}

/** What a program reports that is expected to end well. */
export async function reportOf<T>(program: string, ...args: readonly string[]): Promise<T> {
  const { code, stderr, report } = await run<T>(program, args);
  if (code !== 0 || report === undefined) {
    throw new Error(`${program} ${args.join(" ")} ended with code ${code}:\n${stderr}`);
  }
  return report;
}

/** The names of the systems under test, as `programs/systems.mjs` knows them. */
export const OURS = "copilot-keyless";
export const AZURE_PROVIDER = "getBearerTokenProvider";
export const CREDENTIAL_ITSELF = "credential.getToken";
