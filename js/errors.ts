import { redact } from "./redact.js";

/**
 * The one error of this package. `code` is stable, `message` says what was wrong, `hint` says what to do, and `cause`
 * holds the original error where there was one. Neither message nor hint ever holds a token or a secret.
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
  override readonly name = "KeylessError";
  /** Stable, such as `endpoint/placeholder`; the README lists them all. */
  readonly code: string;
  /** The next step, in one or two sentences. */
  declare readonly hint?: string;
  /** The HTTP status behind the failure, where there was one. */
  declare readonly status?: number;

  constructor(
    code: string,
    message: string,
    details: { hint?: string | undefined; status?: number | undefined; cause?: unknown } = {},
  ) {
    super(redact(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.hint !== undefined) this.hint = redact(details.hint);
    if (details.status !== undefined) this.status = details.status;
  }
}
