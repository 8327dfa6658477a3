import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { type Checks, callback, listOf, number, object, readOptions, text } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { type FoundryProviderOptions, foundryChecks } from "../foundry/options.js";
import { checkedLimits } from "../http/limits.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";
import { readPrivateFile } from "../platform/private-file.js";
import { quote } from "../platform/shell.js";
import type { GatewayAccess } from "./access-log.js";
import { checkedKey, invalid } from "./key.js";

/**
 * Options of {@link createGateway}: those of `createFoundryProvider`, and the ones below. All are
 * optional.
 */
export interface GatewayOptions extends FoundryProviderOptions {
  /** The port to listen on. Default 0: a free one. */
  port?: number | undefined;
  /**
   * The address to listen on. Default `127.0.0.1`. Another one than this machine's needs
   * `allowHosts`; the gateway speaks plain http, so put TLS in front of it.
   */
  host?: string | undefined;
  /** The key that clients send, 16 to 512 visible ASCII characters. Default: a random one. */
  key?: string | undefined;
  /**
   * A file with the key, for a fixed one. A file that does not exist is created, for its owner only,
   * with a random key. One that is a link, another user's, or open to others is refused, except on
   * Windows.
   */
  keyFile?: string | undefined;
  /**
   * Further names, without port, that clients may use in `Host`. Default none: `localhost`,
   * `127.0.0.1` and `[::1]` only, so that no web page reaches the gateway by DNS rebinding.
   */
  allowHosts?: readonly string[] | undefined;
  /** The origins of web pages that may use the gateway. Default none. */
  allowOrigins?: readonly string[] | undefined;
  /**
   * Several resources in place of one `endpoint`. A request goes to one that serves its model; if
   * that is at its quota, fails or cannot be reached, another one is asked. A conversation stays with
   * the resource that made its ids or its encrypted reasoning.
   */
  backends?: readonly GatewayBackend[] | undefined;
  /** Overrides of the limits. */
  limits?: Partial<GatewayLimits> | undefined;
  /** Receives an entry for each request when it ends. Errors that it throws are ignored. */
  onAccess?: ((entry: GatewayAccess) => void) | undefined;
}

/**
 * A resource behind a gateway that has several: options of `createFoundryProvider`, and the ones
 * below. Those that are unset come from the gateway's options.
 */
export interface GatewayBackend extends FoundryProviderOptions {
  /** The name in logs, each once. Default: the host of its endpoint. */
  name?: string | undefined;
  /**
   * The models that it serves, by the names that requests carry: those of its deployments. Default:
   * all.
   */
  models?: readonly string[] | undefined;
  /**
   * A whole number from 0. Backends with a higher one are asked while all with lower ones are paused.
   * Default 0.
   */
  priority?: number | undefined;
  /** Its share among backends of the same priority: a whole number from 1. Default 1. */
  weight?: number | undefined;
  /**
   * Time until it answers, in milliseconds. Then the next backend is asked. Default:
   * `limits.firstByteMs`.
   */
  firstByteMs?: number | undefined;
}

/** Limits of a gateway. Times are in milliseconds, sizes in bytes. */
export interface GatewayLimits {
  /** Concurrent requests. Default 256. Further ones are refused with 503. */
  maxRequests: number;
  /** Size of a request's body. Default 268,435,456 (256 MiB). */
  maxBodyBytes: number;
  /**
   * Memory for the bodies of all requests in progress. Default 67,108,864 (64 MiB). A body that does
   * not fit is streamed, and its request not repeated after a revocation.
   */
  bufferBytes: number;
  /** Time for the headers of a request to arrive. Default 10,000. */
  headersMs: number;
  /** Time for a whole request to arrive. Default 300,000. */
  requestMs: number;
  /** Time to connect to the resource. Default 10,000. */
  connectMs: number;
  /** Time until the resource answers. Default 600,000: a model may think for minutes. */
  firstByteMs: number;
  /** Longest pause within an answer of the resource. Default 300,000. */
  idleMs: number;
  /** Time that `close()` gives to requests in progress. Default 5,000. */
  closeMs: number;
}

const LIMITS: GatewayLimits = {
  maxRequests: 256,
  maxBodyBytes: 256 * 1024 * 1024,
  bufferBytes: 64 * 1024 * 1024,
  headersMs: 10_000,
  requestMs: 300_000,
  connectMs: 10_000,
  firstByteMs: 600_000,
  idleMs: 300_000,
  closeMs: 5_000,
};

/** Checked options of a backend, with defaults. */
export interface BackendSettings {
  name: string | undefined;
  provider: FoundryProviderOptions;
  models: readonly string[];
  priority: number;
  weight: number;
  firstByteMs: number | undefined;
}

/** Checked options, with defaults. */
export interface Settings {
  backends: BackendSettings[];
  port: number;
  host: string;
  key: string;
  allowHosts: string[];
  allowOrigins: string[];
  limits: GatewayLimits;
  onAccess: GatewayOptions["onAccess"];
}

function gatewayChecks(): Checks<GatewayOptions> {
  return {
    ...foundryChecks(),
    port: number,
    host: text,
    key: text,
    keyFile: text,
    allowHosts: listOf(text),
    allowOrigins: listOf(text),
    backends: listOf(object),
    limits: object,
    onAccess: callback,
  };
}

function backendChecks(): Checks<GatewayBackend> {
  return {
    ...foundryChecks(),
    name: text,
    models: listOf(text),
    priority: number,
    weight: number,
    firstByteMs: number,
  };
}

/** Checks the options. Throws `gateway/invalid-option` and `gateway/key-file`. */
export function readGatewayOptions(given: GatewayOptions): Settings {
  const {
    port = 0,
    host = "127.0.0.1",
    key,
    keyFile,
    allowHosts = [],
    allowOrigins = [],
    backends,
    limits,
    onAccess,
    ...provider
  } = readOptions(given, gatewayChecks(), "gateway/invalid-option");
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw invalid("port must be a whole number from 0 to 65535.");
  if (!isLoopback(host) && allowHosts.length === 0) {
    throw invalid(
      "host is not an address of this machine alone, and allowHosts is empty.",
      "Name the hosts that clients may use in allowHosts (--allow-host). Put TLS in front: keys and prompts travel in plain text.",
    );
  }
  if (key !== undefined && keyFile !== undefined) throw invalid("key and keyFile exclude each other.");
  return {
    backends: readBackends(backends, provider),
    port,
    host,
    key: keyFile === undefined ? checkedKey(key ?? randomKey()) : keyOf(keyFile),
    allowHosts: [...allowHosts],
    allowOrigins: [...allowOrigins],
    limits: checkedLimits(LIMITS, limits, "gateway/invalid-option"),
    onAccess,
  };
}

/** Checks the backends: those that are given, or the one that the options of the gateway describe. */
function readBackends(
  given: readonly GatewayBackend[] | undefined,
  shared: FoundryProviderOptions,
): BackendSettings[] {
  if (given !== undefined && given.length === 0) throw invalid("backends is empty.");
  if (given !== undefined && shared.endpoint !== undefined)
    throw invalid("endpoint and backends exclude each other.");
  const names = new Set<string>();
  return (given ?? [{}]).map((one, at) => {
    const {
      name,
      models = [],
      priority = 0,
      weight = 1,
      firstByteMs,
      ...own
    } = readOptions(one, backendChecks(), "gateway/invalid-option");
    const place = `backends[${at}]`;
    if (given !== undefined && own.endpoint === undefined)
      throw invalid(`${place}.endpoint is missing.`, "Each backend needs an endpoint of its own.");
    checkWhole(`${place}.priority`, priority, 0);
    checkWhole(`${place}.weight`, weight, 1);
    if (firstByteMs !== undefined) checkWhole(`${place}.firstByteMs`, firstByteMs, 1);
    if (name !== undefined && names.has(name)) throw invalid(`The name ${name} occurs twice in backends.`);
    names.add(name ?? "");
    return { name, provider: { ...shared, ...own }, models, priority, weight, firstByteMs };
  });
}

function checkWhole(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= LONGEST_TIMER_MS) return;
  throw invalid(`${name} must be a whole number from ${least}, below 2^31.`);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** A key of 256 random bits. Its prefix lets secret scanners and readers recognise it. */
function randomKey(): string {
  return `ckg-${randomBytes(32).toString("base64url")}`;
}

/** Reads the key of a file, or creates the file. */
function keyOf(file: string): string {
  const fail = (
    cause?: unknown,
    hint = "It must hold a key of 16 to 512 visible ASCII characters. Delete it, and the next start creates one.",
  ) => new KeylessError("gateway/key-file", `The key file ${file} cannot be used`, { hint, cause });
  try {
    const key = randomKey();
    // Fails if the file exists, so that no key is overwritten.
    writeFileSync(file, `${key}\n`, { mode: 0o600, flag: "wx" });
    return key;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EEXIST") throw fail(error);
  }
  try {
    const content = readPrivateFile(file);
    if (content !== undefined) return checkedKey(content.trim());
  } catch (error) {
    throw fail(error);
  }
  throw fail(
    undefined,
    `Others may know its key: it must be a file of your own, not a link, and closed to others. Run: chmod 600 ${quote(file)}`,
  );
}
