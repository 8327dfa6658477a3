import { KeylessError } from "../errors/keyless-error.js";
import { isResourceErrorCode } from "./errors.js";
import type { EmulatorServer, Fault, FaultKind } from "./fault-types.js";

/** A kind of fault: its server, and the fields that it has besides those of all faults. */
interface Kind {
  readonly server: EmulatorServer | "both";
  readonly fields: readonly string[];
}

const KINDS: Record<FaultKind, Kind> = {
  status: { server: "both", fields: ["status", "error", "body", "headers"] },
  body: { server: "both", fields: ["body", "status", "headers"] },
  delay: { server: "both", fields: ["delayMs"] },
  hang: { server: "both", fields: [] },
  reset: { server: "both", fields: [] },
  "slow-body": { server: "both", fields: ["delayMs"] },
  "cut-stream": { server: "both", fields: ["afterEvents"] },
  "stream-error": { server: "foundry", fields: ["afterEvents", "event", "code", "message"] },
  length: { server: "foundry", fields: ["afterWords"] },
  "claims-challenge": { server: "foundry", fields: ["claims"] },
  "wrong-audience": { server: "identity", fields: ["audience"] },
  "malformed-expiry": { server: "identity", fields: ["expiresOn"] },
  expired: { server: "identity", fields: ["expiresOn"] },
};

const COMMON = ["server", "kind", "match", "times"];
const STREAM_ERROR_EVENTS = ["response.failed", "error", "both"];
const LONGEST_DELAY_MS = 2 ** 31 - 1;

type Fields = Partial<Record<string, unknown>>;

/**
 * Copies a fault, so that later changes of the original have no effect, and checks it.
 *
 * @throws KeylessError `emulator/invalid-fault`
 */
export function checkFault(original: Fault): Fault {
  // Callers in JavaScript are not checked by a compiler, and those of the control API not at all.
  const fields = copyOf(original);
  const { kind, server, match, times, status, error, headers, delayMs, event } = fields;
  need(server === "identity" || server === "foundry", '`server` must be "identity" or "foundry".');
  need(isKind(kind), `\`kind\` must be one of ${Object.keys(KINDS).join(", ")}.`);
  const { server: only, fields: own } = KINDS[kind];
  need(only === "both" || only === server, `kind "${kind}" is for the ${only} server only.`);
  needKnown(fields, [...COMMON, ...own], `kind "${kind}"`);
  if (typeof match === "object" && match !== null) checkMatch(match as Fields);
  else {
    need(
      match === undefined || typeof match === "string" || typeof match === "function",
      "`match` must be a part of the path, parts of the request, or a function.",
    );
  }
  need(
    times === undefined || times === "always" || times === Number.POSITIVE_INFINITY || isWhole(times, 1),
    '`times` must be a whole number from 1 on, Infinity or "always".',
  );
  need(
    status === undefined || (isWhole(status, 200) && (status as number) <= 599),
    "`status` must be a whole number from 200 to 599.",
  );
  need(error === undefined || isResourceErrorCode(error), "`error` must be an error of the resource.");
  need(error === undefined || server === "foundry", "`error` is for the foundry server only.");
  need(headers === undefined || areHeaders(headers), "`headers` must map valid header names to strings.");
  if (kind === "status") need(status !== undefined || error !== undefined, "`status` or `error` is missing.");
  if (kind === "body") need(fields.body !== undefined, "`body` is missing.");
  need(
    fields.body === undefined || typeof fields.body === "string" || isJson(fields.body),
    "`body` must be a string or a value that JSON can express.",
  );
  if (kind === "delay" || kind === "slow-body") {
    need(
      typeof delayMs === "number" && delayMs >= 0 && delayMs <= LONGEST_DELAY_MS,
      "`delayMs` must be a number of milliseconds from 0 on.",
    );
  }
  if (kind === "claims-challenge") need(isText(fields.claims), "`claims` is missing.");
  if (kind === "malformed-expiry") {
    need(Object.hasOwn(fields, "expiresOn"), "`expiresOn` is missing.");
  }
  need(
    fields.expiresOn === undefined || isJson(fields.expiresOn),
    "`expiresOn` must be a value that JSON can express.",
  );
  for (const name of ["afterEvents", "afterWords"]) {
    const value = fields[name];
    need(value === undefined || isWhole(value, 0), `\`${name}\` must be a whole number from 0 on.`);
  }
  need(
    event === undefined || STREAM_ERROR_EVENTS.includes(event as string),
    `\`event\` must be one of ${STREAM_ERROR_EVENTS.join(", ")}.`,
  );
  for (const name of ["audience", "code", "message"]) {
    const value = fields[name];
    need(value === undefined || isText(value), `\`${name}\` must be a non-empty string.`);
  }
  return fields as unknown as Fault;
}

function checkMatch(match: Fields): void {
  need(
    Object.values(match).some((value) => value !== undefined),
    "`match` must not be empty.",
  );
  needKnown(match, ["path", "model", "deployment", "body", "user", "headers"], "`match`");
  for (const name of ["path", "model", "deployment", "user"]) {
    need(match[name] === undefined || isText(match[name]), `\`match.${name}\` must be a non-empty string.`);
  }
  const { body, headers } = match;
  need(
    body === undefined || typeof body === "string" || typeof body === "function",
    "`match.body` must be a part of the body or a function.",
  );
  need(
    headers === undefined || areHeaders(headers),
    "`match.headers` must map valid header names to strings.",
  );
}

function copyOf(fault: unknown): Fields {
  need(typeof fault === "object" && fault !== null && !Array.isArray(fault), "it must be an object.");
  const copy: Fields = read(fault, "fault");
  const { match } = copy;
  return typeof match === "object" && match !== null ? { ...copy, match: read(match, "match") } : copy;
}

function read(value: object, name: string): Fields {
  try {
    return { ...value };
  } catch {
    throw new KeylessError(
      "emulator/invalid-fault",
      `The \`${name}\` cannot be read: a getter of it throws.`,
    );
  }
}

function need(condition: boolean, requirement: string): asserts condition {
  if (condition) return;
  throw new KeylessError("emulator/invalid-fault", `The \`fault\` is invalid: ${requirement}`);
}

function needKnown(fields: Fields, known: readonly string[], owner: string): void {
  const unknown = Object.keys(fields).find((name) => fields[name] !== undefined && !known.includes(name));
  need(unknown === undefined, `${owner} has no field \`${unknown}\`; it has ${known.join(", ")}.`);
}

function isKind(value: unknown): value is FaultKind {
  return typeof value === "string" && Object.hasOwn(KINDS, value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isWhole(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min;
}

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

function areHeaders(value: unknown): boolean {
  try {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    if (!Object.values(value).every((text) => typeof text === "string")) return false;
    new Headers(value as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}
