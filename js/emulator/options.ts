import { KeylessError } from "../errors/keyless-error.js";
import { didYouMean } from "../errors/nearest.js";
import { systemClock } from "../platform/clock.js";
import type { EmulatorClock } from "./clock.js";
import { checkQuota, type Quota } from "./quota.js";
import { defaultReply, type ReplyFunction } from "./reply.js";
import { isKnownRole } from "./roles.js";
import type { EmulatorOptions, TokenLifetimeRequest } from "./types.js";

/** Checked options with defaults. */
export interface Settings {
  readonly port: number;
  readonly identityPort: number;
  readonly lifetimeOf: (request: TokenLifetimeRequest) => number;
  readonly platformCache: boolean;
  readonly tokenRevocation: boolean;
  readonly model: string;
  readonly deployments: readonly string[];
  readonly quotas: Readonly<Record<string, Quota>>;
  readonly roles: readonly string[];
  readonly audiences: readonly string[];
  readonly reply: ReplyFunction;
  readonly chunkDelayMs: number;
  readonly allowOrigins: readonly string[];
  readonly clock: EmulatorClock;
  readonly logLimit: number;
}

const DEFAULT_DEPLOYMENTS = ["gpt-5.5", "gpt-4o"];
const DEFAULT_AUDIENCES = ["https://ai.azure.com", "https://cognitiveservices.azure.com"];
const DEFAULT_ROLES = ["Foundry User"];
const DEFAULT_LIFETIME_SECONDS = 3600;
const DEFAULT_CHUNK_DELAY_MS = 15;
const DEFAULT_LOG_LIMIT = 10_000;
/** A hundred years. The expiry of a longer lifetime may not be a valid date. */
const LONGEST_LIFETIME_SECONDS = 3_155_760_000;
/** The longest delay of Node's timers. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Checks the options and fills in defaults. Throws a KeylessError `emulator/invalid-option`. */
export function readOptions(input: EmulatorOptions): Settings {
  const options = copyOf(input);
  const {
    port = 0,
    identityPort = 0,
    tokenLifetimeSeconds = DEFAULT_LIFETIME_SECONDS,
    platformCache = true,
    tokenRevocation = false,
    deployments,
    model = (isList(deployments) ? deployments[0] : undefined) ?? DEFAULT_DEPLOYMENTS[0] ?? "",
    quotas = {},
    roles = DEFAULT_ROLES,
    audiences = DEFAULT_AUDIENCES,
    reply = defaultReply,
    chunkDelayMs = DEFAULT_CHUNK_DELAY_MS,
    allowOrigins = [],
    clock = systemClock,
    logLimit = DEFAULT_LOG_LIMIT,
    ...unknown
  } = options;
  refuseUnknown(Object.keys(unknown)[0]);
  check(isWhole(port, 0, 65_535), "`port` must be a whole number from 0 to 65535.");
  check(isWhole(identityPort, 0, 65_535), "`identityPort` must be a whole number from 0 to 65535.");
  check(port === 0 || port !== identityPort, "`port` and `identityPort` must differ.");
  check(typeof platformCache === "boolean", "`platformCache` must be true or false.");
  check(typeof tokenRevocation === "boolean", "`tokenRevocation` must be true or false.");
  const given = deployments === undefined ? undefined : checkDeployments(deployments);
  check(isName(model), "`model` must be a non-empty string.");
  check(
    isList(audiences) && audiences.length > 0 && audiences.every(isName),
    "`audiences` must be an array with at least one audience.",
  );
  check(
    audiences.every((audience) => !audience.endsWith("/.default")),
    "`audiences` must not end with `/.default`.",
  );
  check(typeof reply === "function", "`reply` must be a function.");
  check(
    Number.isFinite(chunkDelayMs) && chunkDelayMs >= 0 && chunkDelayMs <= LONGEST_DELAY_MS,
    "`chunkDelayMs` must be a number of milliseconds from 0 on.",
  );
  check(
    isList(allowOrigins) && allowOrigins.every(isOrigin),
    "`allowOrigins` must be an array of origins such as http://127.0.0.1:5173, without a path.",
  );
  check(isClock(clock), "`clock` must have a function `now`.");
  check(isWhole(logLimit, 0), "`logLimit` must be a whole number from 0 on.");
  return {
    port,
    identityPort,
    lifetimeOf: lifetimeFunction(tokenLifetimeSeconds),
    platformCache,
    tokenRevocation,
    model,
    deployments: given ?? [...new Set([model, ...DEFAULT_DEPLOYMENTS])],
    quotas: readQuotas(quotas),
    roles: readRoles(roles),
    audiences: [...audiences],
    reply,
    chunkDelayMs,
    allowOrigins: [...allowOrigins],
    clock: withSystemFallback(clock),
    logLimit,
  };
}

/** The names of the options. The type makes the list complete. */
const NAMES: Record<keyof EmulatorOptions, true> = {
  port: true,
  identityPort: true,
  tokenLifetimeSeconds: true,
  platformCache: true,
  tokenRevocation: true,
  deployments: true,
  model: true,
  quotas: true,
  roles: true,
  audiences: true,
  reply: true,
  chunkDelayMs: true,
  allowOrigins: true,
  clock: true,
  logLimit: true,
};

function refuseUnknown(name: string | undefined): void {
  if (name === undefined) return;
  const names = Object.keys(NAMES);
  throw new KeylessError("emulator/invalid-option", `Unknown option \`${name}\`.`, {
    hint: `${didYouMean(name, names)}The options are ${names.join(", ")}.`,
  });
}

/** Wraps a clock: if it throws or returns no finite number, the system clock is used. */
function withSystemFallback(clock: EmulatorClock): EmulatorClock {
  const now = () => {
    try {
      const time = clock.now();
      return Number.isFinite(time) ? time : systemClock.now();
    } catch {
      return systemClock.now();
    }
  };
  return { now };
}

/** Copies the options. Reads each once. */
function copyOf(input: EmulatorOptions): EmulatorOptions {
  check(typeof input === "object" && input !== null && isReadable(input), "`options` must be an object.");
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(input)) {
    const read = () => (input as Record<string, unknown>)[name];
    check(!throws(read), `\`${name}\` cannot be read: its getter throws.`);
    copy[name] = read();
  }
  return copy;
}

/** Whether a value is no array, and its keys can be read. */
function isReadable(value: object): boolean {
  return !throws(() => Object.keys(value)) && !Array.isArray(value);
}

function throws(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}

/** Checks names and GUIDs of roles. */
export function readRoles(roles: readonly string[]): readonly string[] {
  check(isList(roles), "`roles` must be an array of role names or GUIDs.");
  const unknownRole = roles.find((role) => typeof role !== "string" || !isKnownRole(role));
  check(
    unknownRole === undefined,
    `\`roles\` contains a role that the emulator does not know: ${String(unknownRole)}.`,
  );
  return [...roles];
}

/** Checks names of deployments. */
export function checkDeployments(deployments: readonly string[]): readonly string[] {
  check(isList(deployments) && deployments.every(isName), "`deployments` must be an array of names.");
  return [...deployments];
}

function readQuotas(quotas: Readonly<Record<string, Quota>>): Readonly<Record<string, Quota>> {
  check(typeof quotas === "object" && quotas !== null, "`quotas` must be an object.");
  const entries = Object.entries(quotas).map(([name, quota]) => [name, checkQuota(quota, `quotas.${name}`)]);
  return Object.fromEntries(entries);
}

function lifetimeFunction(
  lifetime: number | ((request: TokenLifetimeRequest) => number),
): (request: TokenLifetimeRequest) => number {
  if (typeof lifetime !== "function") {
    checkLifetime(lifetime);
    return () => lifetime;
  }
  return (request) => {
    const seconds = lifetime(request);
    checkLifetime(seconds);
    return seconds;
  };
}

function checkLifetime(seconds: unknown): void {
  check(
    typeof seconds === "number" && seconds >= 1 && seconds <= LONGEST_LIFETIME_SECONDS,
    "`tokenLifetimeSeconds` must be a number of seconds from 1 on, or a function that returns one.",
  );
}

function check(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new KeylessError("emulator/invalid-option", sentence);
}

function isClock(value: unknown): value is EmulatorClock {
  return !throws(() => (value as EmulatorClock).now) && typeof (value as EmulatorClock).now === "function";
}

/** Whether a value is an array whose items can be read. */
function isList<T>(value: readonly T[] | undefined): value is readonly T[] {
  return !throws(() => [...(value as readonly T[])]) && Array.isArray(value);
}

function isWhole(value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && new URL(value).origin === value;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}
