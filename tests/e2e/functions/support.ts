import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startEmulator } from "copilot-keyless/emulator";
import { afterAll } from "vitest";
import { root } from "../../support/process.js";

/** Actions to run after the test file. A test cannot register afterAll. */
const cleanUp: (() => unknown)[] = [];
afterAll(() => Promise.all(cleanUp.map((step) => step())));

/** The app of this repository. */
export const APP = join(root, "examples/azure-functions");

/** Starts an emulator for app processes, without changing this process's environment. */
export async function emulatorForApps(options: Parameters<typeof startEmulator>[0] = {}) {
  const emulator = await startEmulator({ chunkDelayMs: 0, ...options });
  afterAll(() => emulator.stop());
  return emulator;
}

/** Creates a folder with an app whose chat handler has these options, as code. */
export function appWith(options: string, before = ""): string {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-app-"));
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", main: "main.js" }));
  writeFileSync(join(folder, "host.json"), JSON.stringify({ version: "2.0" }));
  writeFileSync(
    join(folder, "main.js"),
    `import { app } from "@azure/functions";
     import { createChatHandler, createHealthHandler } from "copilot-keyless/azure-functions";
     ${before}
     app.setup({ enableHttpStream: true });
     const chat = createChatHandler(${options});
     app.http("chat", { methods: ["POST"], handler: chat });
     app.http("health", { methods: ["GET"], handler: createHealthHandler(chat) });`,
  );
  link(folder);
  return folder;
}

/** Links this repository's packages into an app's folder. */
function link(folder: string): void {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const [name, target] of [
    ["copilot-keyless", root],
    ["@azure", join(root, "node_modules/@azure")],
    ["@github", join(root, "node_modules/@github")],
  ] as const) {
    symlinkSync(target, join(folder, "node_modules", name));
  }
}

/** Links the package as `npm run functions` does, for the app inside the repository. */
export function linkPackage(): void {
  const place = join(root, "node_modules/copilot-keyless");
  rmSync(place, { force: true, recursive: true });
  symlinkSync(root, place);
}

export interface StartedApp {
  url: string;
  process: ChildProcess;
  /** Returns the log of the host and the app. */
  log: () => string;
  /** Stops the host as the platform does: it signals the app first. Returns the exit code. */
  stop(): Promise<number | null>;
}

/** Runs an app in the host of `npm run functions`, in a process of its own. */
export function startApp(folder: string, env: Record<string, string>): Promise<StartedApp> {
  return startProgram([join(root, "scripts/functions-host.mjs"), folder, "0"], env);
}

/** Runs a program that serves on the address that it prints. */
export async function startProgram(
  args: readonly string[],
  env: Record<string, string>,
): Promise<StartedApp> {
  const temporary = mkdtempSync(join(tmpdir(), "copilot-keyless-worker-"));
  const child = spawn(process.execPath, ["--unhandled-rejections=strict", ...args], {
    env: { PATH: dirname(process.execPath), HOME: temporary, TMPDIR: temporary, ...env },
  });
  let log = "";
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer) => {
      log += chunk;
      const found = /^listening (\S+)/m.exec(log)?.[1];
      if (found) resolve(found);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    ended.then(() => reject(new Error(`The program has ended:\n${log}`)));
  });
  const stop = () => {
    child.kill("SIGTERM");
    return ended;
  };
  cleanUp.push(async () => {
    await stop();
    rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
  });
  return { url, process: child, log: () => log, stop };
}

/** Sends a request to the chat function. An object is sent as JSON. */
export function ask(
  { url }: Pick<StartedApp, "url">,
  body: unknown,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(`${url}/api/chat`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    signal,
  });
}

/** Parses a JSON body whose fields are strings. */
export async function json(response: Response): Promise<Record<string, string>> {
  return (await response.json()) as Record<string, string>;
}

export const EVENTS = { accept: "text/event-stream" };

export interface ServerEvent {
  event: string;
  id?: string;
  data: Record<string, unknown>;
}

/**
 * Parses server-sent events line by line, as a browser does. Comments become events without a name.
 */
export function parseEvents(text: string): ServerEvent[] {
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((block) => {
      const lines = block.split("\n");
      const field = (name: string) =>
        lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
      const data = field("data").join("\n");
      const [id] = field("id");
      return {
        event: field("event")[0] ?? "",
        data: data ? JSON.parse(data) : {},
        ...(id === undefined ? {} : { id }),
      };
    });
}

/** Waits until something holds, for ten seconds at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await holds()) return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error("It did not come true within ten seconds");
}
