import { wellFormed } from "../platform/well-formed.js";
import { causes, MAX_CAUSES } from "./causes.js";
import type { ErrorCode } from "./codes.js";
import { redact } from "./redact.js";

/** How many objects of an error are searched for secrets. */
const MAX_OBJECTS = 10_000;

/** The method that Node, Deno and Bun call to print an object. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * The error of this package. `code` is stable, `message` says what is wrong, `hint` says what to
 * do, and `cause` holds the original error if there is one. None of them contains a token or a
 * secret: an original error that does is replaced by a copy without them (name, text, stack, code,
 * status, causes), because loggers print causes.
 *
 * @example
 * ```ts
 * try {
 *   createFoundryProvider({ endpoint: "https://<my-resource>.openai.azure.com" });
 * } catch (error) {
 *   if (error instanceof KeylessError) console.error(error.code, error.hint); // "endpoint/placeholder", ...
 * }
 * ```
 */
export class KeylessError extends Error {
  declare readonly name: "KeylessError";
  /** Stable, such as `endpoint/placeholder`. docs/reference/errors.md lists all codes. */
  readonly code: ErrorCode;
  /** The next step, in one or two sentences. */
  declare readonly hint?: string;
  /** The HTTP status behind the failure, if there was one. */
  declare readonly status?: number;
  /** How long the resource asks to wait, in milliseconds. */
  declare readonly retryAfterMs?: number;

  constructor(
    code: ErrorCode,
    message: string,
    details?: {
      hint?: string | undefined;
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    },
  ) {
    const { hint, status, retryAfterMs, cause } = fields(details);
    super(cleanText(message), cause === undefined ? undefined : { cause: withoutSecrets(cause) });
    // Values of a wrong type are left out: a TypeError here would hide the error that is reported.
    this.code = typeof code === "string" ? code : ("" as ErrorCode);
    if (typeof hint === "string") this.hint = cleanText(hint);
    if (typeof status === "number") this.status = status;
    if (typeof retryAfterMs === "number") this.retryAfterMs = retryAfterMs;
  }

  /** The fields to log: all except the stack and the cause. */
  toJSON(): {
    name: string;
    code: ErrorCode;
    message: string;
    hint?: string;
    status?: number;
    retryAfterMs?: number;
  } {
    const { name, code, message, hint, status, retryAfterMs } = this;
    return {
      name,
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(status === undefined ? {} : { status }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  /** @internal */
  [INSPECT](_depth: number, options: object, inspect?: (value: unknown, options: object) => string): string {
    return inspect?.(copyOf(this), options) ?? redact(String(this.stack));
  }
}

// On the prototype, so that the first line of the stack contains it.
Object.defineProperty(KeylessError.prototype, "name", { value: "KeylessError", configurable: true });

/**
 * Removes secrets from a text. Makes it well-formed, because the Copilot runtime receives the
 * errors of its callbacks.
 */
function cleanText(text: unknown): string {
  return typeof text === "string" ? wellFormed(redact(text)) : "";
}

/** The details of an error, or none if they cannot be read. */
function fields(details: object | undefined): Record<string, unknown> {
  try {
    const { hint, status, retryAfterMs, cause } = { ...details } as Record<string, unknown>;
    return { hint, status, retryAfterMs, cause };
  } catch {
    return {};
  }
}

/**
 * A cause as it is, or a copy without secrets if a logger that prints all of it would print one.
 */
function withoutSecrets(cause: unknown): unknown {
  try {
    const texts = [typeof cause === "string" ? cause : "", properties(cause)];
    for (const error of causes(cause)) {
      if (texts.length > MAX_CAUSES) return copyOf(cause);
      texts.push(`${error.message}\n${error.stack}\n${typeof error.cause === "string" ? error.cause : ""}`);
    }
    const all = texts.join("\n");
    return redact(all) === all ? cause : copyOf(cause);
  } catch {
    // A getter of the error threw, or it is too large to search.
    return copyOf(cause);
  }
}

/** The JSON of an error and its causes, each object once. */
function properties(error: unknown): string {
  const seen = new Set<unknown>();
  const once = (_name: string, value: unknown) => {
    if (typeof value === "bigint") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return undefined;
    if (seen.size > MAX_OBJECTS) throw new RangeError("too large");
    seen.add(value);
    return value;
  };
  return [...causes(error)].map((one) => JSON.stringify(one, once)).join("\n");
}

/**
 * Copies an error without secrets: its name, text, stack, code and status, and those of its causes.
 * Other properties are left out: the request that a failed call carries holds headers and bodies.
 */
function copyOf(error: unknown, seen = new Set<unknown>()): unknown {
  if (typeof error === "string") return redact(error);
  if (typeof error !== "object" || error === null) return error;
  try {
    const { name, message, stack, cause, errors } = error as Record<string, unknown>;
    if (seen.has(error) || seen.size >= MAX_CAUSES || typeof message !== "string") return "[not shown]";
    seen.add(error);
    const copy = new Error(redact(message), cause === undefined ? undefined : { cause: copyOf(cause, seen) });
    // The error may have been named after its stack was created.
    const text = String(stack ?? `Error: ${message}`).replace(/^Error(?=[:\n])/, String(name ?? "Error"));
    Object.defineProperty(copy, "stack", { value: redact(text), configurable: true, writable: true });
    for (const key of ["code", "hint", "status", "statusCode", "retryAfterMs"]) {
      const value = (error as Record<string, unknown>)[key];
      if (typeof value === "string") Object.assign(copy, { [key]: redact(value) });
      if (typeof value === "number") Object.assign(copy, { [key]: value });
    }
    if (Array.isArray(errors)) Object.assign(copy, { errors: errors.map((inner) => copyOf(inner, seen)) });
    return copy;
  } catch {
    // A getter of the error threw.
    return "[not shown]";
  }
}
