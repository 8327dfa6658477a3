// A chat behind each kind of server, for the suites of this folder. The emulator replaces Azure; the
// Copilot runtime is the real one.

import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { root } from "../../support/process.js";
import {
  appWith,
  ask,
  emulatorForApps,
  json,
  type StartedApp,
  startApp,
  startProgram,
} from "../functions/support.js";

/** More than the sockets between the handler and its caller hold. */
export const LONG = `${"x".repeat(40_000)} `.repeat(250);
/** Takes two seconds. */
export const SLOW = Array.from({ length: 200 }, (_, index) => `word${index}`).join(" ");
/** Events of 20 kB, at once. */
const LARGE = `${"y".repeat(20_000)} `.repeat(12);
export const TEXTS: Record<string, string> = { "At length": LONG, Slowly: SLOW, "In large pieces": LARGE };

/** Starts the emulator of a suite. */
export async function emulatorForChats() {
  const emulator = await emulatorForApps({
    chunkDelayMs: 10,
    reply: ({ prompt, turn }) => TEXTS[prompt] ?? `Turn ${turn}: ${prompt.length}`,
  });
  // Removes a test's faults before the next one.
  afterEach(() => emulator.faults.clear());
  return emulator;
}

/** Whether a kind of server keeps conversations: all that have the Copilot runtime do. */
export const keepsConversations = (adapter: string): boolean => adapter !== "edge";

/** The caller's test function of the Functions app; that of the others is in the program. */
const CALLER = `(request) => {
  const name = request.headers.get("x-test-caller") ?? "anybody";
  if (name === "broken") throw new Error("password=hunter2 is wrong");
  return name === "nobody" ? false : name;
}`;

/** Starts a chat behind one kind of server. */
export function startChat(
  adapter: string,
  options: Record<string, unknown>,
  env: Record<string, string>,
): Promise<StartedApp> {
  const json = JSON.stringify(options);
  if (adapter === "functions") return startApp(appWith(`{ ...${json}, caller: ${CALLER} }`), env);
  return startProgram([join(root, "tests/support/chat-server/main.mjs"), adapter, json], env);
}

/** Checks that the next request is served. */
export async function expectServed(app: StartedApp): Promise<void> {
  const response = await ask(app, { prompt: "Still there?" });
  expect(response.status).toBe(200);
  expect(await json(response)).toMatchObject({ reply: "Turn 0: 12" });
}

/** Checks that a response is a problem, and returns it. */
export async function expectProblem(
  response: Response,
  status: number,
  code: string,
): Promise<Record<string, unknown>> {
  const text = await response.text();
  expect([response.status, JSON.parse(text).code]).toEqual([status, code]);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = JSON.parse(text);
  expect(problem).toMatchObject({
    status,
    title: expect.stringMatching(/^[A-Z]/),
    detail: expect.stringMatching(/./),
    correlationId: response.headers.get("x-correlation-id"),
  });
  expect(text).not.toMatch(/eyJ|\bat .*:\d+:\d+/);
  return problem;
}

/** The state that the health check reports. */
export async function healthOf({ url }: StartedApp): Promise<{ turns: number; state: string }> {
  return (await fetch(`${url}/api/health`)).json() as Promise<{ turns: number; state: string }>;
}
