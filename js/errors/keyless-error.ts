import { wellFormed } from "../platform/well-formed.js";
import { causes, MOST_CAUSES } from "./causes.js";
import { redact } from "./redact.js";

/** How many objects of an error are looked through for secrets. */
const MOST_OBJECTS = 10_000;

/** Node, Deno and Bun ask an object under this name what `console.error` shall show. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * The one error of this package. `code` is stable, `message` says what was wrong, `hint` says what to do, and `cause`
 * holds the original error where there was one. None of them ever holds a token or a secret: an original that does is replaced by a
 * copy without (name, text, stack, code, status, causes), because loggers write causes out.
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
  /** Stable, such as `endpoint/placeholder`; docs/reference/errors.md lists them all. */
  readonly code: string;
  /** The next step, in one or two sentences. */
  declare readonly hint?: string;
  /** The HTTP status behind the failure, where there was one. */
  declare readonly status?: number;
  /** How long the resource asks to wait, in milliseconds, where it does. */
  declare readonly retryAfterMs?: number;

  constructor(
    code: string,
    message: string,
    details?: {
      hint?: string | undefined;
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    },
  ) {
    const { hint, status, retryAfterMs, cause } = fields(details);
    super(shownText(message), cause === undefined ? undefined : { cause: harmless(cause) });
    // An error that cannot be made would hide what it is about: what is of a wrong type is left out.
    this.code = typeof code === "string" ? code : "";
    if (typeof hint === "string") this.hint = shownText(hint);
    if (typeof status === "number") this.status = status;
    if (typeof retryAfterMs === "number") this.retryAfterMs = retryAfterMs;
  }

  /** What a log may hold of it: all but the stack and the cause. */
  toJSON(): {
    name: string;
    code: string;
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
    return inspect?.(shown(this), options) ?? redact(String(this.stack));
  }
}

// On the prototype, so that the first line of the stack has it.
Object.defineProperty(KeylessError.prototype, "name", { value: "KeylessError", configurable: true });

/** A text without secrets. Well-formed, because the Copilot runtime receives the errors of its callbacks. */
function shownText(text: unknown): string {
  return typeof text === "string" ? wellFormed(redact(text)) : "";
}

/** The details of an error; none where they cannot be read. */
function fields(details: object | undefined): Record<string, unknown> {
  try {
    const { hint, status, retryAfterMs, cause } = { ...details } as Record<string, unknown>;
    return { hint, status, retryAfterMs, cause };
  } catch {
    return {};
  }
}

/** A cause as it is, or its stand-in if a logger that goes through all of it would write a secret. */
function harmless(cause: unknown): unknown {
  try {
    const said = [typeof cause === "string" ? cause : "", properties(cause)];
    for (const error of causes(cause)) {
      if (said.length > MOST_CAUSES) return shown(cause);
      said.push(`${error.message}\n${error.stack}\n${typeof error.cause === "string" ? error.cause : ""}`);
    }
    const all = said.join("\n");
    return redact(all) === all ? cause : shown(cause);
  } catch {
    // A getter of somebody's error threw, or there is too much to look through.
    return shown(cause);
  }
}

/** What JSON would hold of an error and those behind it, each object once. */
function properties(error: unknown): string {
  const seen = new Set<unknown>();
  const once = (_name: string, value: unknown) => {
    if (typeof value === "bigint") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return undefined;
    if (seen.size > MOST_OBJECTS) throw new RangeError("too large");
    seen.add(value);
    return value;
  };
  return [...causes(error)].map((one) => JSON.stringify(one, once)).join("\n");
}

/**
 * A stand-in for an error, to be shown: its name, text, stack, code and status, and those of its causes, without secrets.
 * Other properties stay away: the request that a failed call carries with it holds headers and bodies.
 */
function shown(error: unknown, seen = new Set<unknown>()): unknown {
  if (typeof error === "string") return redact(error);
  if (typeof error !== "object" || error === null) return error;
  try {
    const { name, message, stack, cause, errors } = error as Record<string, unknown>;
    if (seen.has(error) || seen.size >= MOST_CAUSES || typeof message !== "string") return "[not shown]";
    seen.add(error);
    const copy = new Error(redact(message), cause === undefined ? undefined : { cause: shown(cause, seen) });
    // Its own name where the stack was made before it got one.
    const text = String(stack ?? `Error: ${message}`).replace(/^Error(?=[:\n])/, String(name ?? "Error"));
    Object.defineProperty(copy, "stack", { value: redact(text), configurable: true, writable: true });
    for (const key of ["code", "hint", "status", "statusCode", "retryAfterMs"]) {
      const value = (error as Record<string, unknown>)[key];
      if (typeof value === "string") Object.assign(copy, { [key]: redact(value) });
      if (typeof value === "number") Object.assign(copy, { [key]: value });
    }
    if (Array.isArray(errors)) Object.assign(copy, { errors: errors.map((inner) => shown(inner, seen)) });
    return copy;
  } catch {
    // A getter of somebody's error threw.
    return "[not shown]";
  }
}
