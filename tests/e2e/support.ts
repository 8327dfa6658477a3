import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, type EmulatorOptions, startEmulator } from "copilot-keyless/emulator";
import { afterAll } from "vitest";

/** A folder that is gone after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/**
 * An emulator that this process's `DefaultAzureCredential` and Copilot runtime use. One in a test file: `@azure/identity`
 * keeps the first managed identity it finds for as long as the process lives.
 */
export async function emulated(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ chunkDelayMs: 0, ...options });
  Object.assign(process.env, emulator.env, { COPILOT_HOME: temporaryFolder() });
  afterAll(() => emulator.stop());
  return emulator;
}
