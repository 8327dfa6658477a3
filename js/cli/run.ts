import { spawn } from "node:child_process";
import { constants } from "node:os";
import { KeylessError } from "copilot-keyless";
import { SECRET_VARIABLES } from "../platform/environment.js";
import { environmentOfClients, type GatewayAddress } from "./clients.js";
import { type GatewayCommandOptions, start } from "./gateway.js";
import { withLoopback } from "./proxy.js";
import { windowsCommand } from "./windows-command.js";

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
 * Matches secrets that this package does not read, but a command could: tokens, keys of resources,
 * and what pipelines and Terraform set.
 */
const FURTHER_SECRETS =
  /^(AZURE_(OPENAI_(AD_TOKEN|API_KEY|KEY)|AD_TOKEN|FEDERATED_TOKEN|CREDENTIALS|API_KEY|AI_API_KEY|INFERENCE_CREDENTIAL)|ARM_(CLIENT_SECRET|OIDC_(REQUEST_)?TOKEN)|(ANTHROPIC_)?FOUNDRY_API_KEY|servicePrincipalKey|idToken|COPILOT_KEYLESS_GATEWAY_KEY)$/i;

/**
 * The environment of the command: that of this process without secrets of identities and resources,
 * with what the known clients need, and without a proxy for this machine.
 */
export function environmentOfChild(
  env: Readonly<Record<string, string | undefined>>,
  gateway: GatewayAddress,
): Record<string, string> {
  const all = { ...env, ...environmentOfClients(gateway), ...withLoopback(env) };
  const kept = Object.entries(all).filter(
    ([name, value]) => value !== undefined && !SECRET_VARIABLES.test(name) && !FURTHER_SECRETS.test(name),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

async function child(command: string[], env: Record<string, string>): Promise<number> {
  const [program = "", ...rest] = command;
  const startable =
    process.platform === "win32" ? windowsCommand(command, env) : { file: program, args: rest };
  if (!startable) throw notFound(program);
  const { file, args, ...options } = startable;
  const started = spawn(file, args, { stdio: "inherit", env, ...options });
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      // At a terminal Ctrl-C reaches the whole group, so the command has it already.
      if (signal !== "SIGINT" || !process.stdin.isTTY) started.kill(signal);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return new Promise<number>((resolve, reject) => {
    started.once("error", (cause) => reject(notFound(program, cause)));
    started.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  }).finally(() => {
    for (const remove of listeners) remove();
  });
}

function notFound(program: string, cause?: unknown): KeylessError {
  return new KeylessError("gateway/command-not-found", `The command ${program} cannot be started`, {
    hint: "Check its name and that it is installed: copilot-keyless run -- <command>.",
    cause,
  });
}

/** The signals that reach the command. */
const SIGNALS = (
  process.platform === "win32"
    ? ["SIGINT", "SIGTERM"]
    : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]
) as NodeJS.Signals[];
