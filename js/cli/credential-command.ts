import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type AccessToken, createFoundryProvider, type FoundryProvider } from "copilot-keyless";
import { systemClock } from "../platform/clock.js";
import { readPrivateFile } from "../platform/private-file.js";
import { audienceOf, runningGatewayToken } from "./credential-socket.js";
import { type EndpointOptions, providerOptions } from "./options.js";
import { warn } from "./report.js";

/** A cached token is used until this long before it expires, in milliseconds. */
const MARGIN_MS = 5 * 60_000;

/** The content of a cache file. */
interface Cached extends AccessToken {
  /** What the token is for, and whose it is. */
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
  const audience = audienceOf(provider);
  const cached = file === undefined ? undefined : read(file);
  if (cached?.audience === audience && cached.expiresOnTimestamp - MARGIN_MS > systemClock.now()) {
    return cached.token;
  }
  warn(provider.warnings);
  const { token, expiresOnTimestamp } = await provider.tokens.getToken();
  if (file !== undefined) write(file, { token, expiresOnTimestamp, audience });
  return token;
}

/** Reads a cache file. Ignores one that is another user's, that others can read or that is damaged. */
export function read(file: string): Cached | undefined {
  try {
    const { token, expiresOnTimestamp, audience } = JSON.parse(readPrivateFile(file) ?? "{}");
    const isComplete = typeof token === "string" && typeof expiresOnTimestamp === "number";
    return isComplete ? { token, expiresOnTimestamp, audience } : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces a cache file in one step, so that a concurrent reader never sees half of it. */
export function write(file: string, content: Cached): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // A name that nobody can guess, and a file that did not exist: no link leads elsewhere.
  const next = `${file}.${randomUUID()}`;
  try {
    writeFileSync(next, JSON.stringify(content), { mode: 0o600, flag: "wx" });
    renameSync(next, file);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}
