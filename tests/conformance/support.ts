import { fileURLToPath } from "node:url";

/** The result of a program. */
export interface Ended<T> {
  /** Exit code; null after a signal. */
  code: number | null;
  stderr: string;
  /** The program's report, if it wrote one. */
  report: T | undefined;
}

/** Longer than any program takes on a busy machine. */
const TIMEOUT_MS = 50_000;

/** Plain Node, without types. */
const { runProcess } = await import(new URL("process.mjs", import.meta.url).href);

/**
 * Runs a scenario in its own process: a fault of the system under test must not end the test's
 * process, and MSAL caches tokens and the kind of managed identity per process.
 */
export function run<T>(
  program: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<Ended<T>> {
  const file = fileURLToPath(new URL(`programs/${program}.mjs`, import.meta.url));
  return runProcess([...flags, file, ...args], { timeoutMs: TIMEOUT_MS });
}

/** Returns the report of a program that must succeed. */
export async function reportOf<T>(program: string, ...args: readonly string[]): Promise<T> {
  const { code, stderr, report } = await run<T>(program, args);
  if (code !== 0 || report === undefined) {
    throw new Error(`${program} ${args.join(" ")} ended with code ${code}:\n${stderr}`);
  }
  return report;
}

/** The names of the systems in `programs/systems.mjs`. */
export const OURS = "copilot-keyless";
export const AZURE_PROVIDER = "getBearerTokenProvider";
export const CREDENTIAL_ITSELF = "credential.getToken";
