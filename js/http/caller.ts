import { KeylessError } from "../errors/keyless-error.js";
import { wellFormed } from "../platform/well-formed.js";
import { withDeadline } from "../platform/with-deadline.js";
import { chatError } from "./problem.js";

/**
 * Says who asks: a text that nobody else has, or `false` for somebody who may not ask. The request's body is being read already: it must
 * neither read nor clone the request. A library that copies it gets `new Request(request.url, { headers: request.headers })`.
 */
export type CallerFunction<Asked> = (request: Asked) => string | false | Promise<string | false>;

/** The options that take a {@link CallerFunction}, and the codes of what goes wrong with each. */
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
 * Asks the app who its caller is. The id keeps conversations apart, so only a text that can be told from every other text is taken.
 *
 * @throws KeylessError `chat/unauthorized`; `chat/authorize-...` or `chat/caller-...`, by the option, where the function failed
 */
export async function callerOf<Asked>(
  option: keyof typeof CODES,
  identify: CallerFunction<Asked>,
  request: Asked,
  timeoutMs: number,
): Promise<string> {
  const { failed, invalid, late } = CODES[option];
  const asked = (async (): Promise<unknown> => identify(request))().catch((cause: unknown) => {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new KeylessError(failed, `${option} threw: ${said}`, {
      hint: `Look at the ${option} option. It must not read or clone the request.`,
      cause,
    });
  });
  const id = await withDeadline(asked, timeoutMs, () => {
    throw new KeylessError(late, `${option} gave no answer within ${timeoutMs} ms`, {
      hint: `Look at the ${option} option, or raise limits.callerMs.`,
    });
  });
  if (id === false) throw chatError("chat/unauthorized", 401, "You may not ask here", "Sign in first.");
  // Two ids with half a character each would be the same in UTF-8.
  if (typeof id === "string" && id.trim() !== "" && wellFormed(id) === id) return id;
  throw new KeylessError(
    invalid,
    `${option} must give a text that is not empty, or false; it gave ${kind(id)}`,
    {
      hint: `Look at the ${option} option: it gives an id that nobody else has.`,
    },
  );
}

function kind(id: unknown): string {
  if (typeof id === "string") return id.trim() === "" ? "an empty one" : "one with half a character";
  if (id === undefined || id === null) return String(id);
  return Array.isArray(id) ? "an array" : `a ${typeof id}`;
}
