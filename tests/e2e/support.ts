import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineTool, type Tool } from "@github/copilot-sdk";
import { parseTokenResponse, type TokenCredential } from "copilot-keyless";
import { type Emulator, type EmulatorOptions, startEmulator } from "copilot-keyless/emulator";
import { afterAll } from "vitest";
import { childrenOf } from "../support/processes.mjs";

/** Creates a folder that is deleted after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/**
 * Starts an emulator for this process's `DefaultAzureCredential` and Copilot runtime. One in each
 * test file, because `@azure/identity` keeps the first managed identity that it finds.
 */
export async function emulated(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ chunkDelayMs: 0, ...options });
  Object.assign(process.env, emulator.env, { COPILOT_HOME: temporaryFolder() });
  afterAll(() => emulator.stop());
  return emulator;
}

/**
 * A credential that asks the emulator directly, because MSAL would return a rejected token again.
 */
export function straightCredential(
  emulator: Emulator,
  lifetimeMs?: number,
  clientId?: string,
): TokenCredential {
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = emulator.env;
  return {
    getToken: async (scopes, { claims } = {}) => {
      const requestedAt = Date.now();
      const resource = String(scopes).replace(/\/\.default$/, "");
      const url = new URL(
        `${IDENTITY_ENDPOINT}?resource=${encodeURIComponent(resource)}&api-version=2019-08-01`,
      );
      if (claims !== undefined) url.searchParams.set("claims", claims);
      if (clientId !== undefined) url.searchParams.set("client_id", clientId);
      const response = await fetch(url, { headers: { "x-identity-header": IDENTITY_HEADER } });
      const text = await response.text();
      // A test may make the response's lifetime differ from the token's own.
      if (lifetimeMs === undefined) return parseTokenResponse(text, { requestedAt });
      return { token: JSON.parse(text).access_token, expiresOnTimestamp: requestedAt + lifetimeMs };
    },
  };
}

/** Returns the Copilot runtimes that this process has started. */
export function runtimes(): number[] {
  return childrenOf(process.pid);
}

/** Kills all runtimes of this process, as a crash would. */
export function killRuntimes(): void {
  for (const pid of runtimes()) process.kill(pid, "SIGKILL");
}

/** Options of a session that has no tools and permits nothing. */
export const denied = {
  availableTools: [] as string[],
  onPermissionRequest: () => ({ kind: "reject" as const }),
};

/** A tool without parameters. */
export function tool(name: string, handler: () => unknown): Tool {
  return defineTool(name, {
    description: `Does: ${name}`,
    parameters: { type: "object", properties: {} },
    handler,
  }) as Tool;
}
