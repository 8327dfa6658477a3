import { redact } from "./redact.js";

/** How deep causes are shown. */
const DEPTH = 8;

/** Node, Deno and Bun ask an object under this name what `console.error` shall show. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * The one error of this package. `code` is stable, `message` says what was wrong, `hint` says what to do, and `cause`
 * holds the original error where there was one. Neither message nor hint ever holds a token or a secret. The cause is as its
 * author made it and may: `console.error` of this error shows of it what a log may hold, `JSON.stringify` nothing.
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
  /** Stable, such as `endpoint/placeholder`; docs/errors.md lists them all. */
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
    details: {
      hint?: string | undefined;
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(redact(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.hint !== undefined) this.hint = redact(details.hint);
    if (details.status !== undefined) this.status = details.status;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
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

/**
 * A stand-in for an error, to be shown: its name, text, stack, code and status, and those of its causes, without secrets.
 * Other properties stay away: the request that a failed call carries with it holds headers and bodies.
 */
function shown(error: unknown, depth = 0): unknown {
  if (typeof error === "string") return redact(error);
  if (typeof error !== "object" || error === null) return error;
  try {
    const { name, message, stack, cause, errors } = error as Record<string, unknown>;
    if (depth > DEPTH || typeof message !== "string") return "[not shown]";
    const copy = new Error(
      redact(message),
      cause === undefined ? undefined : { cause: shown(cause, depth + 1) },
    );
    // Its own name where the stack was made before it got one.
    const text = String(stack ?? `Error: ${message}`).replace(/^Error(?=[:\n])/, String(name ?? "Error"));
    Object.defineProperty(copy, "stack", { value: redact(text), configurable: true, writable: true });
    for (const key of ["code", "hint", "status", "statusCode", "retryAfterMs"]) {
      const value = (error as Record<string, unknown>)[key];
      if (typeof value === "string") Object.assign(copy, { [key]: redact(value) });
      if (typeof value === "number") Object.assign(copy, { [key]: value });
    }
    if (Array.isArray(errors))
      Object.assign(copy, { errors: errors.map((inner) => shown(inner, depth + 1)) });
    return copy;
  } catch {
    // A getter of somebody's error threw.
    return "[not shown]";
  }
}
