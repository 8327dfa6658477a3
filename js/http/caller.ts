import { KeylessError } from "../errors/keyless-error.js";
import { wellFormed } from "../platform/well-formed.js";
import { withDeadline } from "../platform/with-deadline.js";
import { chatError } from "./problem.js";

/**
 * Identifies the caller of a request: returns a unique id, or `false` to refuse. It must not read
 * or clone the request, whose body is being read already. For a library that copies requests, pass
 * `new Request(request.url, { headers: request.headers })`.
 */
export type CallerFunction<Request> = (request: Request) => string | false | Promise<string | false>;

/** The options that take a {@link CallerFunction}, and the error codes of each. */
const CODES = {
  authorize: {
    failed: "chat/authorize-failed",
    invalid: "chat/authorize-invalid",
    late: "chat/authorize-timeout",
  },
  caller: {
    failed: "chat/caller-failed",
    invalid: "chat/caller-invalid",
    late: "chat/caller-timeout",
  },
} as const;

/**
 * Calls the app's function that identifies the caller. The id separates conversations, so it must
 * differ from every other id.
 *
 * @throws KeylessError `chat/unauthorized`; `chat/authorize-...` or `chat/caller-...`, by the
 *   option, if the function fails
 */
export async function callerOf<Request>(
  option: keyof typeof CODES,
  identify: CallerFunction<Request>,
  request: Request,
  timeoutMs: number,
): Promise<string> {
  const { failed, invalid, late } = CODES[option];
  const result = (async (): Promise<unknown> => identify(request))().catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new KeylessError(failed, `${option} threw: ${message}`, {
      hint: `Check the ${option} option. It must not read or clone the request.`,
      cause,
    });
  });
  const id = await withDeadline(result, timeoutMs, () => {
    throw new KeylessError(late, `${option} did not return within ${timeoutMs} ms`, {
      hint: `Check the ${option} option, or raise limits.callerMs.`,
    });
  });
  if (id === false) throw chatError("chat/unauthorized", 401, "You are not authorized", "Sign in first.");
  // Two ids with different lone surrogates would be the same in UTF-8.
  if (typeof id === "string" && id.trim() !== "" && wellFormed(id) === id) return id;
  throw new KeylessError(
    invalid,
    `${option} must return a non-empty string or false; it returned ${kind(id)}`,
    {
      hint: `Check the ${option} option: it must return an id that is unique to the caller.`,
    },
  );
}

function kind(id: unknown): string {
  if (typeof id === "string") return id.trim() === "" ? "an empty string" : "a string with a lone surrogate";
  if (id === undefined || id === null) return String(id);
  return Array.isArray(id) ? "an array" : `a ${typeof id}`;
}
