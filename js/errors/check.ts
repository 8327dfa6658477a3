// Checks the types of arguments and options at run time, for callers without a compiler. Errors
// name the value.

import type { ErrorCode } from "./codes.js";
import { KeylessError } from "./keyless-error.js";
import { didYouMean } from "./nearest.js";

/** A type to check a value against. */
export interface Check {
  /** The type's name, such as `a string`. */
  readonly expected: string;
  fits(value: unknown): boolean;
  /** The code of the error, instead of the caller's. */
  readonly code?: ErrorCode;
  /** Whether the option is deprecated, so that no hint names it. */
  readonly deprecated?: true;
}

/** A check for each field of an options type. */
export type Checks<T> = { readonly [Name in keyof Required<T>]: Check };

export const text: Check = { expected: "a string", fits: (value) => typeof value === "string" };
/** Any number, finite or not. The core or the function checks its range. */
export const number: Check = { expected: "a number", fits: (value) => typeof value === "number" };
export const finite: Check = { expected: "a finite number", fits: (value) => Number.isFinite(value) };
export const duration: Check = {
  expected: "a number of milliseconds, above 0",
  fits: (value) => Number.isFinite(value) && (value as number) > 0,
};
export const flag: Check = { expected: "true or false", fits: (value) => typeof value === "boolean" };
export const callback: Check = { expected: "a function", fits: (value) => typeof value === "function" };
export const list: Check = { expected: "a list", fits: (value) => Array.isArray(value) };
export const listOf = (check: Check): Check => ({
  expected: "a list",
  fits: (value) => Array.isArray(value) && value.every((item) => fits(check, item)),
});
/** An object that can be read: not a list, and without getters that throw. */
export const object: Check = {
  expected: "an object",
  fits: (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.entries(value).length >= 0,
};
export const anything: Check = { expected: "anything", fits: () => true };

function has(value: unknown, ...names: string[]): boolean {
  return (
    /^(object|function)$/.test(typeof value) &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === "function")
  );
}

// Literals, not results of calls, so that bundlers drop unused ones.

export const credential: Check = {
  expected: "an object with the function getToken",
  fits: (value) => has(value, "getToken"),
};
export const clock: Check = {
  expected: "an object with the functions now, monotonic, random, setTimeout, clearTimeout",
  fits: (value) => has(value, "now", "monotonic", "random", "setTimeout", "clearTimeout"),
};
/** A session of the Copilot SDK. */
export const session: Check = {
  expected: "a session of the Copilot SDK",
  fits: (value) => has(value, "on"),
};
/** An `AbortSignal`, of the platform or of `@azure/abort-controller`. */
export const abortSignal: Check = {
  expected: "an AbortSignal",
  fits: (value) => has(value, "addEventListener", "removeEventListener"),
};
/** A token as text, or an `AccessToken`. */
export const token: Check = {
  expected: "a token",
  code: "token/malformed",
  fits: (value) => typeof value === "string" || typeof (value as { token: unknown }).token === "string",
};
/** An endpoint as text or as a URL, or an `Endpoint`. */
export const endpoint: Check = {
  expected: "an address",
  fits: (value) =>
    typeof value === "string" ||
    value instanceof URL ||
    typeof (value as { baseUrl: unknown }).baseUrl === "string",
};

export function either(...checks: Check[]): Check {
  return {
    expected: checks.map(({ expected }) => expected).join(" or "),
    fits: (value) => checks.some((check) => fits(check, value)),
  };
}

/** Refuses an argument of a wrong type, also undefined. */
export function checkArgument(
  name: string,
  value: unknown,
  check: Check,
  code: ErrorCode,
  hint?: string,
): void {
  if (!fits(check, value)) throw wrongType(name, value, check, code, hint);
}

/** Refuses an argument of a wrong type, unless it is undefined. */
export function checkOptional(name: string, value: unknown, check: Check, code: ErrorCode): void {
  if (value !== undefined) checkArgument(name, value, check, code);
}

/**
 * Reads the options of a function, each once. Leaves out options that are undefined.
 *
 * @throws KeylessError with this code, if the options are no object, cannot be read, have a wrong
 * type, or one of them does not exist
 */
export function readOptions<T extends object>(given: T | undefined, checks: Checks<T>, code: ErrorCode): T {
  const read = readKnownOptions(given, checks, code);
  const unknown = keysOf(given ?? {}, "The argument options", code).find(
    (name) => !Object.hasOwn(checks, name) && isSet(given, name),
  );
  if (unknown === undefined) return read;
  // Not those that are only taken for programs of before.
  const names = Object.keys(checks).filter((name) => !checks[name as keyof T].deprecated);
  const hint = `${didYouMean(unknown, names)}The options are ${names.join(", ")}.`;
  throw refused(`There is no option ${unknown}.`, code, hint);
}

/** {@link readOptions} of an object that may hold options of other functions, too. */
export function readKnownOptions<T extends object>(
  given: T | undefined,
  checks: Checks<T>,
  code: ErrorCode,
): T {
  if (given === undefined) return {} as T;
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw wrongType("The argument options", given, object, code);
  const read: Record<string, unknown> = {};
  for (const [name, check] of Object.entries<Check>(checks)) {
    let value: unknown;
    try {
      value = (given as Record<string, unknown>)[name];
    } catch {
      throw refused(`The options cannot be read: the getter of ${name} throws.`, code);
    }
    if (value === undefined) continue;
    if (!fits(check, value)) throw wrongType(name, value, check, code);
    read[name] = value;
  }
  return read as T;
}

/** Whether an option is given and not undefined. Does not call getters. */
function isSet(given: object | undefined, name: string): boolean {
  const { value, get } = Object.getOwnPropertyDescriptor(given, name) ?? {};
  return value !== undefined || get !== undefined;
}

/**
 * Copies plain data for the core. The copy can always be read, and contains no null, which the core
 * would treat as unset.
 *
 * @throws KeylessError with this code, which names the field that is null or cannot be read
 */
export function plainCopy<T extends object>(value: T | undefined, name: string, code: ErrorCode): T {
  if (value !== undefined && (typeof value !== "object" || fits(list, value)))
    throw wrongType(name, value, object, code);
  return copyOf(value === undefined ? {} : value, name, code, new Set()) as T;
}

function copyOf(value: unknown, name: string, code: ErrorCode, within: Set<unknown>): unknown {
  if (value === null) throw wrongType(name, value, { expected: "a value", fits: () => false }, code);
  if (typeof value !== "object") return value;
  if (within.has(value)) throw refused(`${name} contains itself.`, code);
  within.add(value);
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {};
  for (const key of keysOf(value, name, code)) {
    let item: unknown;
    try {
      item = (value as Record<string, unknown>)[key];
    } catch {
      throw refused(`${key} cannot be read: its getter throws.`, code);
    }
    Object.assign(copy, { [key]: copyOf(item, key, code, within) });
  }
  within.delete(value);
  return copy;
}

function keysOf(value: object, name: string, code: ErrorCode): string[] {
  try {
    return Object.keys(value);
  } catch {
    throw refused(`${name} cannot be read.`, code);
  }
}

/** Wraps a callback of the program. Errors that it throws or rejects with are ignored. */
export function quiet<A extends unknown[]>(
  callback: ((...args: A) => unknown) | undefined,
): (...args: A) => void {
  return (...args) => {
    void (async () => callback?.(...args))().catch(() => {});
  };
}

function fits({ fits }: Check, value: unknown): boolean {
  try {
    return fits(value);
  } catch {
    // The value is null, or an object that cannot be read.
    return false;
  }
}

/**
 * The error for a value of a wrong type. Does not repeat the value: it may be a misplaced secret.
 */
function wrongType(
  name: string,
  value: unknown,
  { expected, code: codeOfCheck }: Check,
  code: ErrorCode,
  hint = "Correct it, or leave it out to get the default.",
): KeylessError {
  const isNumber = typeof value === "number" && expected.includes("number");
  const found = value === null ? "null" : isNumber ? String(value) : `of the type ${typeof value}`;
  return refused(`${name} must be ${expected}; it is ${found}.`, codeOfCheck ?? code, hint);
}

function refused(sentence: string, code: ErrorCode, hint = "Pass an object of plain values."): KeylessError {
  return new KeylessError(code, sentence, { hint });
}
