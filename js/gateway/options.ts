import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { type Checks, callback, listOf, number, object, readOptions, text } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { type FoundryProviderOptions, foundryChecks } from "../foundry/options.js";
import { checkedLimits } from "../http/limits.js";
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
  /** Overrides of the limits. */
  limits?: Partial<GatewayLimits> | undefined;
  /** Receives an entry for each request when it ends. Errors that it throws are ignored. */
  onAccess?: ((entry: GatewayAccess) => void) | undefined;
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

/** Checked options, with defaults. */
export interface Settings {
  provider: FoundryProviderOptions;
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
    limits: object,
    onAccess: callback,
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
    provider,
    port,
    host,
    key: keyFile === undefined ? checkedKey(key ?? randomKey()) : keyOf(keyFile),
    allowHosts: [...allowHosts],
    allowOrigins: [...allowOrigins],
    limits: checkedLimits(LIMITS, limits, "gateway/invalid-option"),
    onAccess,
  };
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
