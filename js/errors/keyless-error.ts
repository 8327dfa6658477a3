import { wellFormed } from "../platform/well-formed.js";
import { causes, MAX_CAUSES } from "./causes.js";
import type { ErrorCode } from "./codes.js";
import { redact } from "./redact.js";
import { RETRYABLE } from "./retryable.js";

/** How many objects of an error are searched for secrets. */
const MAX_OBJECTS = 10_000;

/** The method that Node, Deno and Bun call to print an object. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Marks the errors of every copy of this package, in every realm. */
const BRAND = Symbol.for("copilot-keyless.error");

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
 *   if (isKeylessError(error)) console.error(error.code, error.hint); // "endpoint/placeholder", ...
 * }
 * ```
 */
export class KeylessError extends Error {
  declare readonly name: "KeylessError";
  /** Stable, such as `endpoint/placeholder`. docs/reference/errors.md lists all codes. */
  readonly code: ErrorCode;
  /** The next step, or several: one a line, the likeliest first. */
  declare readonly hint?: string;
  /** The HTTP status behind the failure, if there was one. */
  declare readonly status?: number;
  /**
   * Whether the same call may succeed later although nobody changes anything: after an outage, a
   * lost connection or a limit.
   */
  readonly retryable: boolean;
  /**
   * How long to wait before the next call, in milliseconds, where that is known: the resource or the
   * identity endpoint asks for it, or no token is acquired earlier.
   */
  declare readonly retryAfterMs?: number;

  constructor(
    code: ErrorCode,
    message: string,
    details?: {
      hint?: string | undefined;
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      /** Default: by the code. */
      retryable?: boolean | undefined;
      cause?: unknown;
    },
  ) {
    const { hint, status, retryAfterMs, retryable, cause } = fields(details);
    super(cleanText(message), cause === undefined ? undefined : { cause: withoutSecrets(cause) });
    // Values of a wrong type are left out: a TypeError here would hide the error that is reported.
    this.code = typeof code === "string" ? code : ("" as ErrorCode);
    if (typeof hint === "string") this.hint = cleanText(hint);
    if (typeof status === "number") this.status = status;
    if (typeof retryAfterMs === "number") this.retryAfterMs = retryAfterMs;
    this.retryable = typeof retryable === "boolean" ? retryable : RETRYABLE.includes(code);
  }

  /** The fields to log: all except the stack and the cause. */
  toJSON(): {
    name: string;
    code: ErrorCode;
    message: string;
    retryable: boolean;
    hint?: string;
    status?: number;
    retryAfterMs?: number;
  } {
    const { name, code, message, retryable, hint, status, retryAfterMs } = this;
    return {
      name,
      code,
      message,
      retryable,
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
Object.defineProperty(KeylessError.prototype, BRAND, { value: true });

/**
 * Whether a value is a {@link KeylessError}, with one of the codes if any are given. Unlike
 * `instanceof` it also recognises the errors of another copy of this package and of another realm,
 * as in bundles and test runners.
 *
 * @example
 * ```ts
 * if (isKeylessError(error, "credential/server-error", "credential/network")) return "try again later";
 * if (isKeylessError(error) && error.retryable) await setTimeout(error.retryAfterMs ?? 5_000);
 * ```
 */
export function isKeylessError<Known extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: Known[]
): error is KeylessError & { readonly code: Known } {
  try {
    const { [BRAND]: isOurs, code } = error as { [BRAND]?: unknown; code: Known };
    return isOurs === true && (codes.length === 0 || codes.includes(code));
  } catch {
    // Null, or an object that cannot be read.
    return false;
  }
}

/** Copies an error, with another pause before the next call. */
export function withRetryAfter(error: KeylessError, retryAfterMs: number | undefined): KeylessError {
  const { code, message, hint, status, retryable, cause } = error;
  return new KeylessError(code, message, { hint, status, retryable, retryAfterMs, cause });
}

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
    const { hint, status, retryAfterMs, retryable, cause } = { ...details } as Record<string, unknown>;
    return { hint, status, retryAfterMs, retryable, cause };
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
    for (const key of ["code", "hint", "status", "statusCode", "retryAfterMs", "retryable"]) {
      const value = (error as Record<string, unknown>)[key];
      if (typeof value === "string") Object.assign(copy, { [key]: redact(value) });
      if (typeof value === "number" || typeof value === "boolean") Object.assign(copy, { [key]: value });
    }
    if (Array.isArray(errors)) Object.assign(copy, { errors: errors.map((inner) => copyOf(inner, seen)) });
    return copy;
  } catch {
    // A getter of the error threw.
    return "[not shown]";
  }
}
