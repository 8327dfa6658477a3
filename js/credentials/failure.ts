import { causes, httpStatus, type Loose } from "../errors/causes.js";
import type { ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { redact } from "../errors/redact.js";
import type { Environment } from "../platform/environment.js";
import { explainModule } from "../wasm/explain-bindings.js";
import type { ErrorSummary } from "../wasm/types/token.js";
import { hideSecretsAndRead } from "./diagnose.js";

/** The code of a request without a response, as the Azure SDK has it. */
export const NO_RESPONSE = "REQUEST_SEND_ERROR";

/** An error of a credential, and the facts in it that matter for the next attempt. */
export interface CredentialFailure {
  error: KeylessError;
  /** The identity endpoint's HTTP status. */
  status?: number;
  /** Its `Retry-After`. */
  retryAfterMs?: number;
  /** Whether the credential cannot be used here at all, as when `az` is missing. */
  unavailable: boolean;
}

/** What the source of the token knows better than the error tells. */
interface Known {
  code?: ErrorCode | undefined;
  hint?: string | undefined;
  /** Default `process.env`. */
  env?: Environment | undefined;
}

/**
 * Reads an error that a credential threw. `@azure/identity` buries the status in causes and in the
 * errors of a chain.
 *
 * @param now in epoch milliseconds; a `Retry-After` that is a date counts from it
 */
export function credentialFailure(thrown: unknown, now: number, known: Known = {}): CredentialFailure {
  try {
    return read(thrown, now, known);
  } catch (error) {
    // Callers get an error all the same.
    return { error: unexplained(thrown, error), unavailable: false };
  }
}

function read(thrown: unknown, now: number, { code, hint, env }: Known): CredentialFailure {
  if (thrown instanceof KeylessError) {
    const { status, retryAfterMs } = thrown;
    return { error: thrown, unavailable: false, ...numbers(status, retryAfterMs) };
  }
  const chain = [...causes(thrown)];
  const status = chain.map(httpStatus).find((found) => found !== undefined);
  const retryAfterMs = chain.map((error) => retryAfter(error, now)).find((found) => found !== undefined);
  // Before the message is read: it may quote a secret of the environment.
  const failure = hideSecretsAndRead(thrown, { status, env });
  const { error, unavailable } = explainModule().credentialFailure({
    // Cut before, since a page may be long, and behind a half secret at the cut.
    message: redact(messageOf(thrown).slice(0, 2 * MAX_READ)).slice(0, MAX_READ),
    names: texts(chain.map(({ name }) => name)),
    codes: texts(chain.flatMap(({ code, errorCode }) => [code, errorCode])),
    code,
    hint,
    failure,
  });
  const details = { hint: error.hint, status, retryAfterMs, cause: thrown };
  return {
    error: new KeylessError(error.code, error.message, details),
    unavailable,
    ...numbers(status, retryAfterMs),
  };
}

/** The error where a getter of the thrown one throws, or the module that explains it is not loaded. */
function unexplained(thrown: unknown, reason: unknown): KeylessError {
  if (!(reason instanceof KeylessError)) return read(undefined, 0, {}).error;
  const { message, hint } = reason;
  return new KeylessError("credential/failed", `The credential returned no token. ${message}`, {
    hint,
    cause: thrown,
  });
}

/** Converts an error for a status or an event. */
export function summarize(error: KeylessError): ErrorSummary {
  const { code, message, hint, status } = error;
  return Object.freeze({ code, message, ...(hint === undefined ? {} : { hint }), ...numbers(status) });
}

function numbers(status?: number, retryAfterMs?: number): { status?: number; retryAfterMs?: number } {
  return {
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** How much of a message is read, in characters. */
const MAX_READ = 32_768;

/** Checked by shape: an error of another realm, as in test runners, is no instance of Error here. */
function messageOf(thrown: unknown): string {
  const message =
    typeof thrown === "string" ? thrown : (thrown as { message?: unknown } | null | undefined)?.message;
  return typeof message === "string" ? message : "";
}

function texts(values: readonly unknown[]): string[] {
  return values.filter((value) => typeof value === "string");
}

/**
 * Returns `Retry-After` in milliseconds, from a property of the error or a header of its response.
 */
function retryAfter(error: Loose, now: number): number | undefined {
  if (typeof error.retryAfterInMs === "number") return error.retryAfterInMs;
  const headers = (error.response as { headers?: unknown } | undefined)?.headers ?? error.headers;
  if (typeof headers !== "object" || headers === null) return undefined;
  const value = header(headers, "retry-after");
  return value === undefined
    ? undefined
    : explainModule().retryAfterMs(value, header(headers, "date") ?? "", now);
}

function header(headers: object, wanted: string): string | undefined {
  const get = (headers as { get?: unknown }).get;
  const value =
    typeof get === "function"
      ? get.call(headers, wanted)
      : Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
  return value === undefined || value === null ? undefined : String(value);
}
