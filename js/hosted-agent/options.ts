import { readServiceOptions, type ServiceOptions } from "../chat/options.js";
import { callback, text } from "../errors/check.js";
import type { CallerFunction } from "../http/caller.js";
import type { ChatLogEntry } from "../http/contract.js";
import { invalid } from "../http/limits.js";
import { coreEnvironment, type Environment, environment } from "../platform/environment.js";
import { node } from "../platform/node.js";
import { callPlan } from "../wasm/bindings.js";
import type { Hosting } from "../wasm/modules/plan.js";

/**
 * Options of {@link createHostedAgent}: those of `createChatHandler`, except `models`, `durable`
 * and `warmUp` (it always starts at once), and the ones below.
 */
export interface HostedAgentOptions extends Omit<ServiceOptions, "models" | "durable" | "warmUp"> {
  /**
   * Identifies callers where Foundry does not host the process, such as on your machine.
   * `"anonymous"`: every request is one caller, so something in front of the agent must
   * authenticate. Otherwise a function that returns the caller's unique id, or `false` for 401. On
   * the platform it is not called: the platform authenticates, and names the user in a header.
   */
  authorize: "anonymous" | CallerFunction<Request>;
  /**
   * A folder for the runtime's files that outlives the process and that no other process uses:
   * conversations in it continue after a restart. Default: on the platform `COPILOT_HOME` or
   * `~/.copilot`, which the platform keeps for the session; elsewhere a temporary folder, removed
   * when the agent closes.
   */
  home?: string | undefined;
  /**
   * Receives a log entry at the end of every call, without prompt and reply. Default: on the platform
   * a line of JSON on standard output, else nothing. Errors that it throws are ignored.
   */
  onLog?: ((entry: ChatLogEntry) => void) | undefined;
}

/** Where and how an agent serves. */
export interface ServeOptions {
  /** The port to listen on. Default `PORT`, else 8088. 0: a free one. */
  port?: number | undefined;
  /** The address to listen on. Default `0.0.0.0`. */
  host?: string | undefined;
  /**
   * How long running turns may go on after SIGTERM, in milliseconds. Default
   * `AGENTSERVER_GRACEFUL_SHUTDOWN_TIMEOUT_SECONDS`, else 30,000. A second signal ends them at once.
   */
  drainMs?: number | undefined;
}

/** Checked options, with defaults. */
export interface Settings {
  service: ServiceOptions;
  authorize: HostedAgentOptions["authorize"];
  log: (entry: ChatLogEntry) => void;
  home: string | undefined;
  env: Environment;
  hosting: Hosting;
}

const PORT = 8088;
const DRAIN_SECONDS = 30;

/** Checks the options and reads the environment. Throws `chat/invalid-option`. */
export function readHostedAgentOptions(given: HostedAgentOptions): Settings {
  const read = readServiceOptions(given as HostedAgentOptions & ServiceOptions, {
    authorize: { expected: '"anonymous", or a function', fits: () => true },
    home: text,
    onLog: callback,
  });
  const { authorize, home, onLog, ...service } = read;
  if (service.models !== undefined || service.durable !== undefined)
    throw invalid("A hosted agent has no models and no durable: it serves one model, and has home");
  const env = service.env ?? environment();
  const hosting = callPlan((planner) => planner.hosting(coreEnvironment(env)));
  const log = onLog ?? (hosting.hosted ? writeLine : () => {});
  return { service, authorize, log, home: home ?? (hosting.hosted ? homeOn(env) : undefined), env, hosting };
}

/** The folder that the platform keeps for a session, between its containers. */
function homeOn({ COPILOT_HOME }: Environment): string {
  return COPILOT_HOME || node.path.join(node.os.homedir(), ".copilot");
}

function writeLine(entry: ChatLogEntry): void {
  console.log(JSON.stringify(entry));
}

/** Where and how to serve, with what the environment says. Throws `chat/invalid-option`. */
export function readServeOptions(
  { port, host = "0.0.0.0", drainMs }: ServeOptions,
  env: Environment,
): Required<{ [Name in keyof ServeOptions]: NonNullable<ServeOptions[Name]> }> {
  const seconds = wholeNumber("AGENTSERVER_GRACEFUL_SHUTDOWN_TIMEOUT_SECONDS", env, DRAIN_SECONDS, 86_400);
  return {
    port: port ?? wholeNumber("PORT", env, PORT, 65_535),
    host,
    drainMs: drainMs ?? seconds * 1_000,
  };
}

function wholeNumber(name: string, env: Environment, fallback: number, most: number): number {
  const given = env[name]?.trim() ?? "";
  if (given === "") return fallback;
  if (/^\d{1,6}$/.test(given) && Number(given) <= most) return Number(given);
  throw invalid(`${name} must be a whole number from 0 to ${most}`, `Unset it for ${fallback}.`);
}
