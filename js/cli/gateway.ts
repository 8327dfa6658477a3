import type { Emulator } from "copilot-keyless/emulator";
import {
  createGateway,
  type Gateway,
  type GatewayAccess,
  type GatewayOptions,
} from "copilot-keyless/gateway";
import type { Telemetry } from "copilot-keyless/telemetry";
import { KEY_VARIABLE } from "./choices.js";
import { oneLine } from "./clean.js";
import { type GatewayAddress, recipes, shellLine } from "./clients.js";
import { err } from "./colors.js";
import { serveCredential } from "./credential-socket.js";
import { DEMO_TOKEN_SECONDS, startDemo } from "./demo.js";
import { checkGateway } from "./gateway-check.js";
import { readGatewayConfig } from "./gateway-config.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { report, warn } from "./report.js";
import { importTelemetry } from "./telemetry.js";

/** Options of `gateway` and `run`. */
export interface GatewayCommandOptions extends EndpointOptions {
  config?: string;
  port?: number;
  host?: string;
  keyFile?: string;
  allowHost?: string[];
  demo?: boolean;
}

/** How `gateway` logs. */
interface LogOptions {
  json?: boolean;
  quiet?: boolean;
}

/** `copilot-keyless gateway`: serves until Ctrl-C. */
export async function gateway(
  options: GatewayCommandOptions & LogOptions & { for?: string; check?: boolean; timeout?: number },
): Promise<number> {
  if (options.check) return checkGateway(settingsOf(options), options);
  const key = process.env[KEY_VARIABLE];
  const service = key === undefined ? { logs: true } : { logs: true, key };
  const { started, address, isOwnKey, reload, stop } = await start(options, service);
  const closeSocket = await serveCredential(started.provider);
  const onHangUp = () => readAgain(started, reload, options);
  try {
    if (isOwnKey && options.for === undefined) printWithoutKey(started, address, options);
    else print(started, address, options);
    if (options.config !== undefined) process.on("SIGHUP", onHangUp);
    await new Promise<void>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
    });
  } finally {
    process.off("SIGHUP", onHangUp);
    closeSocket();
    await stop();
  }
  return 0;
}

/** Reads the file again. One with a fault changes nothing. */
function readAgain(
  started: Gateway,
  reload: () => void,
  { config, json }: GatewayCommandOptions & LogOptions,
): void {
  try {
    reload();
    const { backends } = started;
    const names = backends.map(({ name }) => name);
    const line = json
      ? JSON.stringify({ reloaded: config, backends: names })
      : `Settings of ${config} read again: ${names.join(", ")}`;
    process.stderr.write(`${oneLine(line)}\n`);
    for (const { provider } of backends) warn(provider.warnings);
  } catch (error) {
    report(error, { debug: false, json: false });
    process.stderr.write("  The settings are those from before.\n");
  }
}

/** What `gateway` has, and `run` has not: an access log, and a key of the platform's. */
interface Service {
  logs?: boolean;
  key?: string;
}

/** The settings of the command line, and, where it has none, those of the file. */
function settingsOf(
  options: GatewayCommandOptions & LogOptions,
  { logs = false, key }: Service = {},
  telemetry?: Telemetry,
): GatewayOptions {
  const { port, host, keyFile, allowHost } = options;
  const file = options.config === undefined ? undefined : readGatewayConfig(options.config);
  const log = options.quiet ? "none" : options.json ? "json" : (file?.log ?? "text");
  const print = logs && log !== "none" ? accessLine(log === "json") : undefined;
  const given = { port, host, keyFile, allowHosts: allowHost };
  const flags = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const settings: GatewayOptions = { ...file?.options, ...providerOptions(options), ...flags };
  const onAccess = (entry: GatewayAccess) => {
    print?.(entry);
    telemetry?.onAccess(entry);
  };
  return {
    ...settings,
    ...(key === undefined || settings.keyFile !== undefined ? {} : { key }),
    ...(telemetry ? { tokens: { onEvent: telemetry.onTokenEvent } } : {}),
    ...(print || telemetry ? { onAccess } : {}),
  };
}

/** Starts a gateway, to the emulator with `--demo`. `isOwnKey`: the user knows the key. */
export async function start(
  options: GatewayCommandOptions & LogOptions,
  service?: Service,
): Promise<{
  started: Gateway;
  address: GatewayAddress;
  isOwnKey: boolean;
  reload(): void;
  stop(): Promise<void>;
}> {
  const emulator = await startDemo(options);
  const telemetry = await importTelemetry();
  try {
    const settings = settingsOf(options, service, telemetry);
    const started = await createGateway({ ...settings, ...(emulator ? demo(emulator) : {}) });
    for (const { provider } of started.backends) warn(provider.warnings);
    const { config, model } = started.provider;
    return {
      started,
      address: { url: started.url, key: started.key, model: config.wireModel ?? model },
      isOwnKey: settings.key !== undefined,
      reload: () => started.reload(settingsOf(options, service, telemetry)),
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
  { provider, backends }: Gateway,
  address: GatewayAddress,
  options: { for?: string; json?: boolean },
): void {
  const clients = recipes(address, options.for);
  if (options.json) {
    const { url, key, model } = address;
    const { baseUrl: endpoint } = provider.endpoint;
    const all = backends.map(({ name, provider }) => ({ name, endpoint: provider.endpoint.baseUrl }));
    const several = all.length > 1 ? { backends: all } : {};
    process.stdout.write(`${JSON.stringify({ url, key, model, endpoint, ...several, clients })}\n`);
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
    ...backends.map(({ name, provider }): [string, string] => {
      const { baseUrl } = provider.endpoint;
      return ["endpoint", oneLine(backends.length > 1 ? `${baseUrl} (${name})` : baseUrl)];
    }),
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
function accessLine(json: boolean): (entry: GatewayAccess) => void {
  return (entry) => {
    const { method, path, status, durationMs, code, repeated, outcome, backend, failed = [] } = entry;
    const notes = [
      code,
      backend,
      ...failed.map(({ backend, status }) => `not ${backend} (${status === 0 ? "no answer" : status})`),
      repeated ? "repeated" : undefined,
      outcome === "answered" ? undefined : outcome,
    ];
    const line = json
      ? JSON.stringify(entry)
      : oneLine(
          [method, path, status, `${durationMs} ms`, ...notes].filter((part) => part !== undefined).join(" "),
        );
    process.stderr.write(`${json ? line : err.dim(line)}\n`);
  };
}
