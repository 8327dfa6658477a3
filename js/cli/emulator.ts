import { startEmulator } from "copilot-keyless/emulator";
import { err } from "./colors.js";
import { quote } from "./shell.js";

interface Options {
  port?: number;
  identityPort?: number;
  tokenLifetime: number;
  platformCache: boolean;
  json?: boolean;
}

export async function emulator(options: Options): Promise<number> {
  const { port, identityPort, tokenLifetime, platformCache, json } = options;
  const running = await startEmulator({
    tokenLifetimeSeconds: tokenLifetime,
    platformCache,
    ...(port === undefined ? {} : { port }),
    ...(identityPort === undefined ? {} : { identityPort }),
  });
  if (json) {
    process.stdout.write(`${JSON.stringify(running.env)}\n`);
  } else {
    const lines = Object.entries(running.env).map(([name, value]) => `export ${name}=${quote(value)}`);
    process.stdout.write(`${lines.join("\n")}\n`);
    process.stderr.write(
      `${err.dim(`Tokens expire after ${tokenLifetime} s. Paste these lines into another shell and run your program there. Ctrl-C stops the emulator.`)}\n`,
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
