import type { ChatErrorCode, CoreErrorCode, ErrorCode, ModelErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { coreModule } from "../wasm/bindings.js";
import { explainModule } from "../wasm/explain-bindings.js";
import type { ProblemName, PublicError } from "../wasm/modules/explain.js";

/** Creates an error with a status of its own: its message and hint go to the caller as they are. */
export function chatError(
  code: ChatErrorCode,
  status: number,
  message: string,
  hint?: string,
  retryAfterMs?: number,
) {
  return new KeylessError(code, message, { status, hint, retryAfterMs });
}

/** Creates the error for a model that the app does not serve. */
export function unknownModel(served: Iterable<string>): KeylessError {
  const choice = `Choose from: ${[...served].join(", ")}.`;
  return chatError("chat/unknown-model", 400, "This model is not served here", choice);
}

/** Creates the error for an id that is unknown, expired, or another caller's: it does not tell which. */
export function sessionNotFound(): KeylessError {
  return chatError(
    "chat/session-not-found",
    404,
    "There is no such conversation, or it has ended",
    "Start a new one, without a sessionId.",
  );
}

/** Creates the error of a conversation that is answering another prompt, here or in another instance. */
export function sessionBusy(retryAfterMs = BUSY_RETRY_MS): KeylessError {
  return chatError(
    "chat/session-busy",
    409,
    "The conversation is still answering another prompt",
    "Send the next prompt when the reply is complete.",
    retryAfterMs,
  );
}

const BUSY_RETRY_MS = 1_000;

/** Creates the error of a conversation whose last turn was lost with its worker. It is said once. */
export function turnLost(): KeylessError {
  return chatError(
    "chat/turn-lost",
    409,
    "The last prompt of this conversation was lost with the worker that was answering it; this one was not run",
    "Send the lost prompt again, or this one: the conversation goes on without the lost turn.",
    BUSY_RETRY_MS,
  );
}

/** Creates the error for a caller that stalls a streamed reply. */
export function slowReader(stallMs: number): KeylessError {
  return chatError("chat/slow-reader", 408, `The caller read nothing for ${stallMs} ms`);
}

/** Creates the error for a call after the app was closed. */
export function closing(): KeylessError {
  return chatError("chat/closing", 503, "This app is shutting down", "Try again.", RETRY_MS);
}

/** Creates the error of a reply that was not complete at the end of `drainMs`. */
export function cutOff(): KeylessError {
  const message = "The reply was cut off: this app is shutting down";
  return chatError("chat/closing", 503, message, "Try again.", RETRY_MS);
}

/** Creates the error of a call whose caller disconnected. Only the log receives it. */
export function clientClosed(): KeylessError {
  return chatError("chat/client-closed", CLIENT_CLOSED, "The caller disconnected");
}

/** The status that nginx and the Functions host log for a caller that disconnected. */
export const CLIENT_CLOSED = 499;

/** The codes that only TypeScript knows, each with its problem. A new code must be added here. */
const PROBLEMS: Record<
  Exclude<
    ErrorCode,
    CoreErrorCode | ModelErrorCode | ChatErrorCode | `emulator/${string}` | `gateway/${string}`
  >,
  ProblemName
> &
  Partial<Record<ChatErrorCode, ProblemName>> = {
  "agent/closed": "unavailable",
  "agent/empty-prompt": "unexpected",
  "agent/invalid-option": "unexpected",
  "agent/no-reply": "upstream",
  "agent/session-open": "unexpected",
  "agent/timeout": "late",
  "diagnosis/invalid": "misconfigured",
  "diagnosis/not-loaded": "misconfigured",
  "model/request-failed": "upstream",
  "sdk/client-refused": "misconfigured",
  "sdk/home-not-writable": "misconfigured",
  "sdk/not-installed": "misconfigured",
  "sdk/rotate-failed": "misconfigured",
  "sdk/runtime-ended": "unavailable",
  "sdk/send-failed": "unavailable",
  "sdk/session-not-found": "misconfigured",
  "sdk/session-refused": "misconfigured",
  "sdk/start-failed": "misconfigured",
  "sdk/too-old": "misconfigured",
  "sdk/unsupported-platform": "misconfigured",
  "sdk/working-directory": "misconfigured",
  "storage/container-not-found": "misconfigured",
  "storage/failed": "misconfigured",
  "storage/invalid-option": "misconfigured",
  "storage/lease-lost": "unavailable",
  "storage/not-installed": "misconfigured",
  "storage/refused": "misconfigured",
  "storage/unavailable": "unavailable",
  "storage/unreadable": "misconfigured",
  // Those of the HTTP handlers whose errors have no status of their own.
  "chat/authorize-failed": "unknown-caller",
  "chat/authorize-invalid": "unknown-caller",
  "chat/authorize-timeout": "unknown-caller-in-time",
  "chat/body-used": "misconfigured",
  "chat/caller-failed": "unknown-caller",
  "chat/caller-invalid": "unknown-caller",
  "chat/caller-timeout": "unknown-caller-in-time",
};

/** The answer for an error that has no status of its own. */
function publicErrorOf(code: ErrorCode): PublicError {
  const known: Record<string, ProblemName | undefined> = PROBLEMS;
  try {
    return explainModule().problemOf(known[code] ?? code);
  } catch {
    // The module could not be loaded. Callers get an answer all the same.
    return { status: 500, message: "An unexpected error occurred." };
  }
}

/** The default of `Retry-After`, in milliseconds. */
const RETRY_MS = 5_000;

/** An error as it is sent and logged. */
export interface Problem {
  status: number;
  code: ErrorCode;
  /** The body of problem+json, RFC 9457. */
  body: Record<string, unknown>;
  headers: Record<string, string>;
  /** The full message, for the log. */
  detail: string;
}

/**
 * Converts an error to problem+json. Callers receive their own mistakes in full. Of other errors
 * they receive the code and a general message, unless `expose` is set; the log receives the
 * details.
 */
export function problem(error: unknown, correlationId: string, expose: boolean): Problem {
  const known = error instanceof KeylessError ? error : undefined;
  const code = known?.code ?? "chat/unexpected";
  const ownStatus = code.startsWith("chat/") ? known?.status : undefined;
  const { status, message } =
    ownStatus === undefined ? publicErrorOf(code) : { status: ownStatus, message: known?.message ?? "" };
  const exposed = known && (ownStatus !== undefined || expose) ? known : undefined;
  // After a restart, or in another instance, the same call may succeed.
  const retryable = known !== undefined && (known.retryable || code.endsWith("/closed"));
  const retryAfterMs = known?.retryAfterMs ?? (retryable && status === 503 ? RETRY_MS : undefined);
  const waitMs =
    retryAfterMs && code.startsWith("credential/")
      ? Math.min(retryAfterMs, coreModule().maxRetryAfterMs())
      : retryAfterMs;
  const seconds = waitMs === undefined ? undefined : Math.max(1, Math.ceil(waitMs / 1000));
  const text = error instanceof Error ? error.message : String(error);
  return {
    status,
    code,
    body: {
      title: TITLES[status] ?? "Error",
      status,
      code,
      detail: exposed?.message ?? message,
      ...(exposed?.hint === undefined ? {} : { hint: exposed.hint }),
      retryable,
      ...(seconds === undefined ? {} : { retryAfter: seconds, retryAfterMs: waitMs }),
      correlationId,
    },
    headers: {
      ...HEADERS[status],
      ...(seconds === undefined ? {} : { "retry-after": String(seconds) }),
    },
    // Another error's message may hold a secret; that of a KeylessError is redacted already.
    detail: [known ? text : redacted(text), known?.hint].filter(Boolean).join(". "),
  };
}

const redacted = (text: string): string => new KeylessError("chat/unexpected", text).message;

/** Headers that RFC 9110 requires for a status. */
const HEADERS: Record<number, Record<string, string>> = {
  401: { "www-authenticate": "Bearer" },
  405: { allow: "POST" },
};

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  499: "Client Closed Request",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};
