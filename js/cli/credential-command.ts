import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type AccessToken, createFoundryProvider, type FoundryProvider } from "copilot-keyless";
import { systemClock } from "../platform/clock.js";
import { runningGatewayToken } from "./credential-socket.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { warn } from "./report.js";

/** A cached token is used until this long before it expires, in milliseconds. */
const MARGIN_MS = 5 * 60_000;

/** The content of a cache file. */
interface Cached extends AccessToken {
  /** Endpoint and scope of the token. */
  audience: string;
}

/**
 * `copilot-keyless credential`: prints a token and a line feed, and nothing else. Takes it from a
 * running gateway, from the cache file, or acquires it.
 */
export async function credential(options: EndpointOptions & { cache?: string }): Promise<number> {
  using provider = createFoundryProvider(providerOptions(options));
  const token = (await runningGatewayToken(provider)) ?? (await acquired(provider, options.cache));
  process.stdout.write(`${token}\n`);
  return 0;
}

async function acquired(provider: FoundryProvider, file: string | undefined): Promise<string> {
  const audience = `${provider.endpoint.baseUrl} ${provider.scope}`;
  const cached = file === undefined ? undefined : read(file);
  if (cached?.audience === audience && cached.expiresOnTimestamp - MARGIN_MS > systemClock.now()) {
    return cached.token;
  }
  warn(provider.warnings);
  const { token, expiresOnTimestamp } = await provider.tokens.getToken();
  if (file !== undefined) write(file, { token, expiresOnTimestamp, audience });
  return token;
}

/** Reads a cache file. Ignores one that others can read or that is damaged. */
function read(file: string): Cached | undefined {
  try {
    if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0) return undefined;
    const { token, expiresOnTimestamp, audience } = JSON.parse(readFileSync(file, "utf8"));
    const isComplete = typeof token === "string" && typeof expiresOnTimestamp === "number";
    return isComplete ? { token, expiresOnTimestamp, audience } : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces a cache file in one step, so that a concurrent reader never sees half of it. */
function write(file: string, content: Cached): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  writeFileSync(next, JSON.stringify(content), { mode: 0o600 });
  chmodSync(next, 0o600);
  renameSync(next, file);
}
