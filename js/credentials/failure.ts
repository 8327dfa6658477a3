import { causes, httpStatus, type Loose } from "../errors/causes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { redact } from "../errors/redact.js";
import { explainModule } from "../wasm/explain-bindings.js";
import type { CredentialCode } from "../wasm/modules/explain.js";
import type { ErrorSummary } from "../wasm/types/token.js";
import { credentialDiagnosis, hintOf } from "./diagnose.js";

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

/** Facts from a chain of errors, besides a status. */
interface Evidence {
  network?: boolean;
  /**
   * MSAL also reports `network_error` for a response that is no JSON, and keeps nothing to tell
   * them apart.
   */
  maybeUnreadable?: boolean;
  unreadable?: boolean;
  unavailable?: boolean;
  retryAfterMs?: number | undefined;
}

const CHECK_FOR_PROXY =
  "Check what answers in place of the identity endpoint: a proxy, or a sign-in page of the network.";

/** The message of each code, and what to do. `{status}` stands for the HTTP status. */
const TEXTS: Record<CredentialCode, readonly [message: string, hint: string]> = {
  "credential/throttled": [
    "The identity endpoint throttles requests",
    "The request is retried later. Share one credential and one provider among all sessions.",
  ],
  "credential/server-error": [
    "The identity endpoint failed with HTTP {status}",
    "The request is retried later. If the failure lasts, check the host's identity service.",
  ],
  "credential/refused": [
    "The identity endpoint rejected the request with HTTP {status}",
    "Check the tenant, the client id (AZURE_CLIENT_ID for a user-assigned identity), and whether the identity is assigned to this host.",
  ],
  "credential/network": [
    "The identity endpoint cannot be reached",
    "In Azure, check that a managed identity is assigned. Elsewhere run `az login` and set AZURE_TOKEN_CREDENTIALS=dev.",
  ],
  "credential/unavailable": [
    "No credential is available here",
    "On a developer's machine run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure assign a managed identity and set AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.",
  ],
  "credential/failed": ["The credential returned no token", "See the cause (--debug, or error.cause)."],
};

const UNREADABLE = ["The identity endpoint's response cannot be parsed", CHECK_FOR_PROXY] as const;

const MAYBE_UNREADABLE = [
  "The identity endpoint cannot be reached, or its response cannot be parsed",
  `${TEXTS["credential/network"][1]} ${CHECK_FOR_PROXY}`,
] as const;

const NETWORK_CODES =
  /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|UND_ERR|REQUEST_SEND_ERROR|network_error)/;

/**
 * Reads an error that a credential threw. `@azure/identity` buries the status in causes and in the
 * errors of a chain.
 *
 * @param now in epoch milliseconds; a `Retry-After` that is a date counts from it
 */
export function credentialFailure(thrown: unknown, now: number): CredentialFailure {
  try {
    return read(thrown, now);
  } catch (error) {
    // Callers get an error all the same.
    return { error: unexplained(thrown, error), unavailable: false };
  }
}

function read(thrown: unknown, now: number): CredentialFailure {
  if (thrown instanceof KeylessError) {
    const { status, retryAfterMs } = thrown;
    return {
      error: thrown,
      unavailable: false,
      ...statusOf(status),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
  const chain = [...causes(thrown)];
  const status = chain.map(httpStatus).find((found) => found !== undefined);
  const network = chain.some((error) =>
    [error.code, error.errorCode].some((code) => typeof code === "string" && NETWORK_CODES.test(code)),
  );
  const declared = !network && chain.some((error) => error.name === "CredentialUnavailableError");
  // It uses this name for all its errors, also when it fails to parse a response.
  const unreadable = declared && chain.some(({ name }) => name === "TypeError" || name === "SyntaxError");
  const unavailable = declared && !unreadable;
  const retryAfterMs = chain.map((error) => retryAfter(error, now)).find((found) => found !== undefined);
  const maybeUnreadable = chain.some(({ errorCode }) => errorCode === "network_error");
  const evidence = { network, maybeUnreadable, unreadable, unavailable, retryAfterMs };
  const error = describe(thrown, status, evidence);
  return { error, unavailable, ...statusOf(status), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The error where a getter of the thrown one throws, or the module that explains it is not loaded. */
function unexplained(thrown: unknown, reason: unknown): KeylessError {
  if (!(reason instanceof KeylessError)) return describe(undefined, undefined, {});
  const [message] = TEXTS["credential/failed"];
  const { message: notLoaded, hint } = reason;
  return new KeylessError("credential/failed", `${message}. ${notLoaded}`, { hint, cause: thrown });
}

/** Converts an error for a status or an event. */
export function summarize(error: KeylessError): ErrorSummary {
  const { code, message, hint, status } = error;
  return Object.freeze({ code, message, ...(hint === undefined ? {} : { hint }), ...statusOf(status) });
}

function statusOf(status: number | undefined): { status?: number } {
  return status === undefined ? {} : { status };
}

function describe(
  cause: unknown,
  status: number | undefined,
  { network = false, maybeUnreadable, unreadable = false, unavailable = false, retryAfterMs }: Evidence,
): KeylessError {
  const details = firstLines(cause);
  const code = explainModule().credentialCode(status, unreadable, network, unavailable);
  const [message, hint] =
    code === "credential/failed" && unreadable
      ? UNREADABLE
      : code === "credential/network" && maybeUnreadable
        ? MAYBE_UNREADABLE
        : TEXTS[code];
  const sentence = message.replace("{status}", `${status}`);
  return new KeylessError(code, details === "" ? sentence : `${sentence}: ${details}`, {
    hint: specificHint(cause, unreadable || maybeUnreadable === true) ?? hint,
    status,
    retryAfterMs,
    cause,
  });
}

/** Codes of a diagnosis that may also mean that the response could not be parsed. */
const MAYBE_RESPONSE = ["network", "library-fault", "timeout"];

/** Returns the hint of the diagnosis, if it knows more than the general code. */
function specificHint(thrown: unknown, maybeUnreadable: boolean): string | undefined {
  const diagnosis = credentialDiagnosis(thrown);
  if (diagnosis.code === "unknown") return undefined;
  return maybeUnreadable && MAYBE_RESPONSE.includes(diagnosis.code) ? undefined : hintOf(diagnosis);
}

/** Returns up to three lines of an error's message, without secrets. */
function firstLines(cause: unknown): string {
  // Checked by shape: an error of another realm, as in test runners, is no instance of Error here.
  const message =
    typeof cause === "string" ? cause : (cause as { message?: unknown } | null | undefined)?.message;
  if (typeof message !== "string") return "";
  const lines = message
    .split("\n")
    .map((line) =>
      line.replace(/^(CredentialUnavailableError|AuthenticationRequiredError|Error):\s*/, "").trim(),
    )
    .filter((line) => line !== "" && !/^ChainedTokenCredential authentication failed\.?$/.test(line));
  const unique = [...new Set(lines)];
  // Redact before cutting: half a token is not recognised as one.
  const shown = redact(unique.slice(0, 3).join(" "));
  return shown.length > 400 ? `${shown.slice(0, 400)}…` : shown;
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
