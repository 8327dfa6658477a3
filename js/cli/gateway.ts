import type { Emulator } from "copilot-keyless/emulator";
import {
  createGateway,
  type Gateway,
  type GatewayAccess,
  type GatewayOptions,
} from "copilot-keyless/gateway";
import { oneLine } from "./clean.js";
import { type GatewayAddress, recipes, shellLine } from "./clients.js";
import { err } from "./colors.js";
import { serveCredential } from "./credential-socket.js";
import { DEMO_TOKEN_SECONDS, startDemo } from "./demo.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { warn } from "./report.js";
import { importTelemetry } from "./telemetry.js";

/** Options of `gateway` and `run`. */
export interface GatewayCommandOptions extends EndpointOptions {
  port?: number;
  host?: string;
  keyFile?: string;
  allowHost?: string[];
  demo?: boolean;
}

/** The variable with the key of a service whose platform keeps secrets, such as Kubernetes. */
export const KEY_VARIABLE = "COPILOT_KEYLESS_GATEWAY_KEY";

/** `copilot-keyless gateway`: serves until Ctrl-C. */
export async function gateway(
  options: GatewayCommandOptions & { for?: string; json?: boolean; quiet?: boolean },
): Promise<number> {
  const key = options.keyFile === undefined ? process.env[KEY_VARIABLE] : undefined;
  const log = options.quiet ? undefined : accessLine(options);
  const { started, address, stop } = await start({ ...options, ...(key === undefined ? {} : { key }) }, log);
  const closeSocket = await serveCredential(started.provider);
  try {
    if (key !== undefined && options.for === undefined) printWithoutKey(started, address, options);
    else print(started, address, options);
    await new Promise<void>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
    });
  } finally {
    closeSocket();
    await stop();
  }
  return 0;
}

/** Starts a gateway, to the emulator with `--demo`. */
export async function start(
  options: GatewayCommandOptions & { key?: string },
  onAccess?: (entry: GatewayAccess) => void,
): Promise<{ started: Gateway; address: GatewayAddress; stop(): Promise<void> }> {
  const { port, host, key, keyFile, allowHost } = options;
  const emulator = await startDemo(options);
  const telemetry = await importTelemetry();
  try {
    const started = await createGateway({
      ...providerOptions(options),
      ...(emulator ? demo(emulator) : {}),
      ...(telemetry ? { tokens: { onEvent: telemetry.onTokenEvent } } : {}),
      onAccess(entry) {
        onAccess?.(entry);
        telemetry?.onAccess(entry);
      },
      port,
      host,
      key,
      keyFile,
      allowHosts: allowHost,
    });
    warn(started.provider.warnings);
    const { config, model } = started.provider;
    return {
      started,
      address: { url: started.url, key: started.key, model: config.wireModel ?? model },
      stop: async () => {
        await started.close();
        await telemetry?.flush();
        await emulator?.stop();
      },
    };
  } catch (error) {
    await emulator?.stop();
    throw error;
  }
}

/** The emulator's endpoint and identity, without a change of this process's environment. */
function demo(emulator: Emulator): GatewayOptions {
  process.stderr.write(
    `${err.dim(`The embedded emulator, tokens live ${DEMO_TOKEN_SECONDS} s (set FOUNDRY_RESOURCE_URL for real Foundry)`)}\n`,
  );
  return { env: emulator.env, credential: "direct" };
}

function print(
  { provider }: Gateway,
  address: GatewayAddress,
  options: { for?: string; json?: boolean },
): void {
  const clients = recipes(address, options.for);
  if (options.json) {
    const { url, key, model } = address;
    process.stdout.write(
      `${JSON.stringify({ url, key, model, endpoint: provider.endpoint.baseUrl, clients })}\n`,
    );
    return;
  }
  const [only] = options.for === undefined ? [] : Object.values(clients);
  if (only) {
    process.stdout.write(`${shellLine(only)}\n`);
    return;
  }
  const rows: [string, string][] = [
    ["address", address.url],
    ["key", address.key],
    ["endpoint", oneLine(provider.endpoint.baseUrl)],
    ...Object.entries(clients).map(([name, recipe]): [string, string] => [name, shellLine(recipe)]),
  ];
  process.stdout.write(`${rows.map(([name, value]) => `${name.padEnd(13)}${value}`).join("\n")}\n`);
}

/** Prints where the gateway is. The log of a service must not hold its key. */
function printWithoutKey(
  { provider }: Gateway,
  { url, model }: GatewayAddress,
  { json }: { json?: boolean },
): void {
  const endpoint = provider.endpoint.baseUrl;
  const text = json
    ? JSON.stringify({ url, model, endpoint })
    : `address      ${url}\nkey          that of ${KEY_VARIABLE}\nendpoint     ${oneLine(endpoint)}`;
  process.stdout.write(`${text}\n`);
}

/** Returns a function that prints an entry of the access log to standard error. */
export function accessLine({ json }: { json?: boolean }): (entry: GatewayAccess) => void {
  return (entry) => {
    const { method, path, status, durationMs, code, repeated, outcome } = entry;
    const notes = [code, repeated ? "repeated" : undefined, outcome === "answered" ? undefined : outcome];
    const line = json
      ? JSON.stringify(entry)
      : oneLine(
          [method, path, status, `${durationMs} ms`, ...notes].filter((part) => part !== undefined).join(" "),
        );
    process.stderr.write(`${json ? line : err.dim(line)}\n`);
  };
}
