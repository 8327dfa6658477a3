import { type Emulator, type Fault, type ScriptedReply, startEmulator } from "copilot-keyless/emulator";
import { quote } from "../platform/shell.js";
import { err } from "./colors.js";
import { readFields } from "./fields.js";

interface Options {
  port?: number;
  identityPort?: number;
  tokenLifetime: number;
  platformCache: boolean;
  role?: string[];
  deployment?: string[];
  quota?: string[];
  fault?: string[];
  reply?: string[];
  json?: boolean;
}

export async function emulator(options: Options): Promise<number> {
  const { port, identityPort, tokenLifetime, platformCache, role, deployment, json } = options;
  const running = await startEmulator({
    tokenLifetimeSeconds: tokenLifetime,
    platformCache,
    ...(port === undefined ? {} : { port }),
    ...(identityPort === undefined ? {} : { identityPort }),
    ...(role === undefined ? {} : { roles: role.filter((name) => name !== "none") }),
    ...(deployment === undefined ? {} : { deployments: deployment }),
  });
  try {
    script(running, options);
  } catch (error) {
    await running.stop();
    throw error;
  }
  if (json) {
    process.stdout.write(`${JSON.stringify(running.env)}\n`);
  } else {
    const lines = Object.entries(running.env).map(([name, value]) => `export ${name}=${quote(value)}`);
    process.stdout.write(`${lines.join("\n")}\n`);
    process.stderr.write(
      `${err.dim(
        `Tokens expire after ${tokenLifetime} s. Paste these lines into another shell and run your program there. Control it at ${running.controlUrl}. Ctrl-C stops the emulator.`,
      )}\n`,
    );
  }
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await running.stop();
  const { identity, foundry, unauthorized } = running.counts;
  process.stderr.write(
    `\n${identity} token requests, ${foundry} model requests, ${unauthorized} of them unauthorized\n`,
  );
  return 0;
}

/** Adds the quotas, faults and replies of the command line. */
function script({ foundry, faults, replies }: Emulator, { quota, fault, reply }: Options): void {
  for (const text of quota ?? []) {
    const { deployment, ...limits } = readFields("--quota", text);
    foundry.setQuota(String(deployment ?? foundry.deployments[0]), limits);
  }
  for (const text of fault ?? []) faults.add(readFields("--fault", text) as unknown as Fault);
  for (const text of reply ?? []) {
    const scripted = text.trimStart().startsWith("{") ? readFields("--reply", text) : text;
    replies.add(scripted as ScriptedReply);
  }
}
