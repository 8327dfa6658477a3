import { spawn } from "node:child_process";
import { constants } from "node:os";
import { KeylessError } from "copilot-keyless";
import { SECRET_VARIABLES } from "../platform/environment.js";
import { environmentOfClients, type GatewayAddress } from "./clients.js";
import { type GatewayCommandOptions, start } from "./gateway.js";
import { withLoopback } from "./proxy.js";

/**
 * `copilot-keyless run -- <command>`: runs a command with a gateway of its own. Returns the
 * command's exit code.
 */
export async function run(command: string[], options: GatewayCommandOptions): Promise<number> {
  const { address, stop } = await start(options);
  try {
    return await child(command, environmentOfChild(process.env, address));
  } finally {
    await stop();
  }
}

/**
 * The environment of the command: that of this process without identity secrets, with what the known
 * clients need, and without a proxy for this machine.
 */
export function environmentOfChild(
  env: Readonly<Record<string, string | undefined>>,
  gateway: GatewayAddress,
): Record<string, string> {
  const all = { ...env, ...environmentOfClients(gateway), ...withLoopback(env) };
  const kept = Object.entries(all).filter(
    ([name, value]) => value !== undefined && !SECRET_VARIABLES.test(name),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

function child([program = "", ...args]: string[], env: Record<string, string>): Promise<number> {
  // On Windows most tools are .cmd files, which only a shell starts.
  const started = spawn(program, args, { stdio: "inherit", env, shell: process.platform === "win32" });
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      // At a terminal Ctrl-C reaches the whole group, so the command has it already.
      if (signal !== "SIGINT" || !process.stdin.isTTY) started.kill(signal);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return new Promise<number>((resolve, reject) => {
    started.once("error", (cause) => {
      reject(
        new KeylessError("gateway/command-not-found", `The command ${program} cannot be started`, {
          hint: "Check its name and that it is installed: copilot-keyless run -- <command>.",
          cause,
        }),
      );
    });
    started.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  }).finally(() => {
    for (const remove of listeners) remove();
  });
}

/** The signals that reach the command. */
const SIGNALS = (
  process.platform === "win32"
    ? ["SIGINT", "SIGTERM"]
    : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]
) as NodeJS.Signals[];
