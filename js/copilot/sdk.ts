import type { ChildProcess } from "node:child_process";
import type { CopilotClient, CopilotClientOptions } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import { runtimeError } from "../foundry/runtime-error.js";
import { unref } from "../platform/clock.js";
import { type Environment, environment } from "../platform/environment.js";
import { installedVersion } from "../platform/installed.js";
import { atExit, node } from "../platform/node.js";
import { withDeadline } from "../platform/with-deadline.js";
import { withoutLookups } from "./process-report.js";
import { runtimeEnvironment } from "./runtime-environment.js";
import { noRuntime } from "./unsupported.js";

type Sdk = typeof import("@github/copilot-sdk");

const SDK = "@github/copilot-sdk";

/**
 * The first version that starts and calls the token callback. 1.0.5 to 1.0.11 do not start; older
 * ones ignore the callback.
 */
const OLDEST = [1, 0, 13] as const;

/** How long the runtime may take to start, and to open a session, in milliseconds. */
export const START_MS = 30_000;

/** How long the process of a killed runtime may take to end, in milliseconds. */
const EXIT_MS = 300;

/**
 * Private parts of the SDK's client, for which it has no public access. Without them only their own
 * purpose is lost.
 */
interface Internals {
  cliProcess: ChildProcess | null;
  cliStartTimeout: ReturnType<typeof setTimeout> | null;
  messageWriter: { suppressWriteErrors: boolean } | null;
  socket: { unref(): void } | null;
  ffiHost: { keepAliveTimer?: ReturnType<typeof setInterval> } | null;
}

/**
 * A client of the Copilot SDK whose runtime this package starts and ends. The runtime receives a
 * short list of variables, does not keep an idle process alive, and ends with the process.
 */
export class OwnClient {
  readonly #options: CopilotClientOptions;
  #client: CopilotClient | undefined;
  #killed = false;

  constructor(options: CopilotClientOptions) {
    this.#options = options;
  }

  /** Imports the SDK and starts the runtime. */
  async start(): Promise<CopilotClient> {
    const { CopilotClient } = await loadSdk();
    const { workingDirectory, connection } = this.#options;
    try {
      if (workingDirectory !== undefined) checkDirectory(workingDirectory);
      this.#client = new CopilotClient(clientOptions(this.#options));
    } catch (cause) {
      throw runtimeError(cause, "options");
    }
    const client = this.#client;
    try {
      const failed = guardStart(client);
      if (this.#killed) throw new Error("it was ended before it started");
      await withDeadline(Promise.race([withoutLookups(() => client.start()), failed]), START_MS, () => {
        throw new Error(`no answer within ${START_MS / 1000} s`);
      });
      if (this.#killed) throw new Error("it was ended while it started");
    } catch (cause) {
      client.forceStop().catch(() => {});
      if (workingDirectory !== undefined) checkDirectory(workingDirectory);
      const { path } = (connection ?? {}) as { path?: string };
      const program = path ?? environment().COPILOT_CLI_PATH;
      throw runtimeError(cause, "start", { home: homeOf(this.#options), program });
    }
    allowExit(client);
    return client;
  }

  /** Gives the runtime up to `shutdownMs` milliseconds to write its state to disk, and ends it. */
  async stop(shutdownMs: number): Promise<void> {
    const client = this.#client;
    if (!client) return;
    // A runtime that was started elsewhere is only disconnected.
    const { kind } = this.#options.connection ?? {};
    const done = kind === "uri" ? client.stop() : client.rpc.runtime.shutdown();
    await withDeadline<unknown>(done, shutdownMs, () => {}).catch(() => {});
    await forceStop(client);
  }

  /** Ends the runtime at once, also while it is starting. */
  async kill(): Promise<void> {
    this.#killed = true;
    if (this.#client) await forceStop(this.#client);
  }
}

/** Ends the runtime's process and waits for its end. */
async function forceStop(client: CopilotClient): Promise<void> {
  const { cliProcess } = client as unknown as Internals;
  const isRunning = cliProcess && cliProcess.exitCode === null && cliProcess.signalCode === null;
  const ended = isRunning && new Promise<void>((end) => cliProcess.once("exit", () => end()));
  await client.forceStop();
  if (ended) await withDeadline(ended, EXIT_MS, () => {});
}

/** The options for the SDK's client, by the kind of its connection. */
function clientOptions(options: CopilotClientOptions): CopilotClientOptions {
  const { connection, env } = options;
  const kind = connection?.kind ?? environment().COPILOT_SDK_DEFAULT_CONNECTION?.toLowerCase();
  // A runtime that was started elsewhere has its own account and environment.
  if (kind === "uri") return options;
  // The provider replaces GitHub's models, so no GitHub account is needed.
  const shared: CopilotClientOptions = { useLoggedInUser: false, ...options };
  // This runtime runs in this process and has its environment.
  if (kind === "inprocess") return shared;
  const own = connection && "env" in connection ? connection : undefined;
  if (!own?.env) return { ...shared, env: runtimeEnvironment(env) };
  const passed = runtimeEnvironment(own.env) as Record<string, string>;
  // If `env` is set too, the SDK refuses it.
  return { ...shared, connection: { ...own, env: passed } };
}

/** The home folder of a runtime that these options start. */
export function homeOf({ baseDirectory, connection, env }: CopilotClientOptions): string {
  const added = (connection as { env?: Record<string, string> } | undefined)?.env ?? env;
  return homeIn(runtimeEnvironment(added), baseDirectory);
}

/**
 * Returns the home folder of a runtime in an environment. An empty variable counts as unset. On
 * Windows, HOME is ignored, as the runtime ignores it: some shells set it.
 */
export function homeIn(
  { COPILOT_HOME, HOME, USERPROFILE }: Environment,
  baseDirectory?: string,
  platform: string = process.platform,
): string {
  const user = (platform === "win32" ? USERPROFILE : HOME) || node.os.homedir();
  return baseDirectory || COPILOT_HOME || node.path.join(user, ".copilot");
}

/**
 * The home folder of a client that the user passed, by the options that it stores. Unknown for a
 * runtime that it only connects to.
 */
export function homeOfClient(client: CopilotClient): string | undefined {
  const { options, resolvedEnv, connectionConfig } = client as unknown as {
    options?: { baseDirectory?: string };
    resolvedEnv?: Record<string, string | undefined>;
    connectionConfig?: { kind?: string };
  };
  const { kind } = connectionConfig ?? {};
  if (kind === undefined || kind === "uri" || kind === "parent-process") return undefined;
  return homeIn(resolvedEnv ?? {}, options?.baseDirectory);
}

/**
 * Handles errors of the runtime's process from its start. Rejects if it cannot be started: the SDK
 * stops listening for that once it writes to the process, and its write error would end this
 * process.
 */
function guardStart(client: CopilotClient): Promise<never> {
  return new Promise((_, reject) => {
    intercept(client, "cliProcess", (child) => {
      child.on("error", reject);
      child.stdin?.on("error", () => {});
    });
    intercept(client, "messageWriter", (writer) => {
      writer.suppressWriteErrors = true;
    });
  });
}

/** Calls back with each value that is assigned to a property. */
function intercept<K extends keyof Internals>(
  client: CopilotClient,
  name: K,
  onValue: (value: NonNullable<Internals[K]>) => void,
): void {
  let current = (client as unknown as Internals)[name];
  Object.defineProperty(client, name, {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (next: Internals[K]) => {
      current = next;
      if (next) onValue(next);
    },
  });
}

/**
 * Lets an idle process end although the runtime is running. Running turns keep it alive by their
 * timers.
 */
function allowExit(client: CopilotClient): void {
  const { cliProcess, cliStartTimeout, socket, ffiHost } = client as unknown as Internals;
  if (cliStartTimeout) clearTimeout(cliStartTimeout);
  const { stdin, stdout, stderr } = cliProcess ?? {};
  for (const handle of [cliProcess, stdin, stdout, stderr, socket, ffiHost?.keepAliveTimer]) unref(handle);
  if (!cliProcess) return;
  endWithProcess(cliProcess, stdin === null);
  // Requests that it has not answered end with it, too; by itself the SDK would wait for ever.
  cliProcess.once("exit", () => void client.forceStop().catch(() => {}));
}

/**
 * Ends the runtime with this process. A runtime on a socket does not notice when a signal ends this
 * process.
 */
function endWithProcess(child: ChildProcess, listens: boolean): void {
  const kill = () => void child.kill("SIGKILL");
  const cancellations = [atExit(kill), ...(listens ? SIGNALS.map((signal) => onSignal(signal, kill)) : [])];
  child.once("exit", () => {
    for (const cancel of cancellations) cancel();
  });
}

/**
 * Runs an action when a signal arrives. The signal still ends this process, unless the program
 * listens to it too.
 */
function onSignal(signal: NodeJS.Signals, action: () => void): () => void {
  const listener = () => {
    action();
    process.off(signal, listener);
    if (process.listenerCount(signal) === 0) process.kill(process.pid, endingSignal(signal));
  };
  process.on(signal, listener);
  return () => process.off(signal, listener);
}

const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** Returns the signal that ends a process as another one would have. Windows cannot send SIGHUP. */
export function endingSignal(signal: NodeJS.Signals, platform: string = process.platform): NodeJS.Signals {
  return platform === "win32" && signal === "SIGHUP" ? "SIGTERM" : signal;
}

/** @throws KeylessError `sdk/working-directory` unless the folder exists */
export function checkDirectory(path: string): void {
  try {
    if (node.fs.statSync(path).isDirectory()) return;
  } catch (cause) {
    throw noDirectory(path, "cannot be opened", cause);
  }
  throw noDirectory(path, "is not a folder");
}

function noDirectory(path: string, what: string, cause?: unknown): KeylessError {
  return new KeylessError("sdk/working-directory", `The working directory ${path} ${what}`, {
    hint: "Create it, or set workingDirectory to another one; the next turn tries again.",
    cause,
  });
}

/** Imports the Copilot SDK. */
export async function loadSdk(): Promise<Sdk> {
  if (!globalThis.process?.getBuiltinModule?.("node:child_process")) throw noRuntime();
  const version = installedVersion(SDK);
  if (version && isOlder(version)) {
    throw new KeylessError(
      "sdk/too-old",
      `${SDK} ${version} is too old: it does not start, or sends no token`,
      {
        hint: `Run \`npm install ${SDK}@^${OLDEST.join(".")}\`.`,
      },
    );
  }
  try {
    return (await import("@github/copilot-sdk")) as Sdk;
  } catch (cause) {
    if (isNotFound(cause)) {
      throw new KeylessError("sdk/not-installed", `${SDK} is not installed`, {
        hint: `Run \`npm install ${SDK}\`.`,
        cause,
      });
    }
    throw runtimeError(cause, "start");
  }
}

/** Whether the SDK itself was not found, and not a module that it imports. */
function isNotFound(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return /^(ERR_)?MODULE_NOT_FOUND$/.test(String(code)) && new RegExp(`['"]${SDK}['"]`).test(String(message));
}

function isOlder(version: string): boolean {
  const parts = version.split(/[.-]/).slice(0, 3).map(Number);
  for (const [index, least] of OLDEST.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
