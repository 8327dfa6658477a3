// Checks of arguments and options at run time, for callers without a compiler. A value of a wrong type is refused by its name.

import { KeylessError } from "./keyless-error.js";

/** A type that a value may have. */
export interface Check {
  /** What it must be, such as `a string`. */
  readonly expected: string;
  fits(value: unknown): boolean;
  /** The code of the error, where it is always the same. */
  readonly code?: string;
}

/** A check for each field of an options type. */
export type Checks<T> = { readonly [Name in keyof Required<T>]: Check };

export const text: Check = { expected: "a string", fits: (value) => typeof value === "string" };
/** Also one that is not finite: which numbers there may be, the core or the function says. */
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
/** An object that can be read: not a list, and no getter of it throws. */
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

// Literals, not what a call makes: bundlers drop those that nobody uses.

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
/** An `AbortSignal`, or one of `@azure/abort-controller`. */
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

/** Refuses an argument of a wrong type; undefined is one. */
export function checkArgument(name: string, value: unknown, check: Check, code: string, hint?: string): void {
  if (!fits(check, value)) throw misfit(name, value, check, code, hint);
}

/** Refuses an argument of a wrong type, if it is given. */
export function checkOptional(name: string, value: unknown, check: Check, code: string): void {
  if (value !== undefined) checkArgument(name, value, check, code);
}

/**
 * The options of a function, each read once. Unset ones stay away; names that have no check are left out.
 *
 * @throws KeylessError with this code, for options that are no object, cannot be read, or are of a wrong type
 */
export function readOptions<T extends object>(given: T | undefined, checks: Checks<T>, code: string): T {
  if (given === undefined) return {} as T;
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw misfit("The argument options", given, object, code);
  const read: Record<string, unknown> = {};
  for (const [name, check] of Object.entries<Check>(checks)) {
    let value: unknown;
    try {
      value = (given as Record<string, unknown>)[name];
    } catch {
      throw refused(`The options cannot be read: the getter of ${name} throws.`, code);
    }
    if (value === undefined) continue;
    if (!fits(check, value)) throw misfit(name, value, check, code);
    read[name] = value;
  }
  return read as T;
}

/**
 * A copy of plain data for the core to judge. It can always be read, and holds no null, which the core would take for not given.
 *
 * @throws KeylessError with this code, which names the field that is null or whose getter throws
 */
export function plainCopy<T extends object>(value: T | undefined, name: string, code: string): T {
  if (value !== undefined && (typeof value !== "object" || fits(list, value)))
    throw misfit(name, value, object, code);
  return copyOf(value === undefined ? {} : value, name, code, new Set()) as T;
}

function copyOf(value: unknown, name: string, code: string, within: Set<unknown>): unknown {
  if (value === null) throw misfit(name, value, { expected: "a value", fits: () => false }, code);
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

function keysOf(value: object, name: string, code: string): string[] {
  try {
    return Object.keys(value);
  } catch {
    throw refused(`${name} cannot be read.`, code);
  }
}

/** A callback of the program's own. What it throws, or rejects with, is ignored. */
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
    // Null, or an object that cannot be read.
    return false;
  }
}

/** What was given is not repeated: it may be a secret in the wrong place. */
function misfit(
  name: string,
  value: unknown,
  { expected, code: own }: Check,
  code: string,
  hint = "Correct it, or leave it out to get the default.",
): KeylessError {
  const isWrongNumber = typeof value === "number" && expected.includes("number");
  const found = value === null ? "null" : isWrongNumber ? String(value) : `of the type ${typeof value}`;
  return refused(`${name} must be ${expected}; it is ${found}.`, own ?? code, hint);
}

function refused(sentence: string, code: string, hint = "Pass an object of plain values."): KeylessError {
  return new KeylessError(code, sentence, { hint });
}
