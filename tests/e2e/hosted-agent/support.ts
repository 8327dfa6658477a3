// The agent of examples/hosted-agent in a process of its own, with the variables of the platform.
// The emulator replaces Azure; the Copilot runtime and @azure/identity are the real ones.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Emulator, EmulatorOptions } from "copilot-keyless/emulator";
import { afterAll } from "vitest";
import { root } from "../../support/process.js";
import { emulatorForApps, linkPackage, type StartedApp, startProgram } from "../functions/support.js";

linkPackage();

/** How long an agent may take to be ready, on a machine that is busy. */
const READY_MS = 60_000;

/** Takes two seconds. */
export const SLOW = Array.from({ length: 200 }, (_, index) => `word${index}`).join(" ");

/** The headers that model requests carried, and the tokens, in order. */
export interface Seen {
  headers: Record<string, string>[];
}

/** Starts an emulator whose model repeats the prompt, or speaks slowly. */
export async function emulatorForAgents(options: EmulatorOptions = {}): Promise<Emulator & { seen: Seen }> {
  const seen: Seen = { headers: [] };
  const emulator = await emulatorForApps({
    chunkDelayMs: 10,
    reply: ({ prompt, turn, headers }) => {
      seen.headers.push(headers as Record<string, string>);
      return prompt === "Slowly" ? SLOW : `Turn ${turn}: ${prompt}`;
    },
    ...options,
  });
  return Object.assign(emulator, { seen });
}

/** A home folder that outlives the process, as the platform keeps one for a session. */
export function homeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-home-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Starts the agent as the platform does, and waits until it is ready. */
export async function startAgent(
  emulator: Emulator,
  env: Record<string, string> = {},
  program = join(root, "examples/hosted-agent/server.mjs"),
): Promise<StartedApp> {
  const platform = { ...emulator.hosts.foundryHostedAgent, PORT: "0", ...env };
  const agent = await startProgram([program], platform);
  const deadline = Date.now() + READY_MS;
  while ((await statusOf(`${agent.url}/readiness`)) !== 200) {
    if (Date.now() > deadline) throw new Error(`The agent is not ready:\n${agent.log()}`);
    await new Promise((next) => setTimeout(next, 50));
  }
  return agent;
}

export async function statusOf(url: string): Promise<number> {
  const { status } = await fetch(url);
  return status;
}

/** Sends a JSON body. */
export function post(
  { url }: Pick<StartedApp, "url">,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    signal,
  });
}

export const JSON_ONLY = { accept: "application/json" };

/** The headers of the platform for a user. */
export const user = (name: string): Record<string, string> => ({ "x-agent-user-id": name });
