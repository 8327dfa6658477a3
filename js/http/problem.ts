import { KeylessError } from "../errors/keyless-error.js";

/** Creates an error with a status of its own: its message and hint go to the caller as they are. */
export function chatError(
  code: string,
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

/** Creates the error for a caller that stalls a streamed reply. */
export function slowReader(stallMs: number): KeylessError {
  return chatError("chat/slow-reader", 408, `The caller read nothing for ${stallMs} ms`);
}

/** Creates the error for a call after the app was closed. */
export function closing(): KeylessError {
  return chatError("chat/closing", 503, "This app is shutting down", "Try again.");
}

/** A failure as callers see it. A status that was meant for the app, such as a 401 of the resource, is not passed on. */
interface PublicError {
  status: number;
  /** Does not disclose the app's resources and roles. */
  message: string;
}

const UPSTREAM: PublicError = { status: 502, message: "The model rejected the request, or failed." };
const LATE: PublicError = { status: 504, message: "The reply took too long." };
const OVERLOADED: PublicError = { status: 503, message: "The model is over capacity. Try again later." };
const UNAVAILABLE: PublicError = {
  status: 503,
  message: "A service that this app needs is unavailable. Try again later.",
};
const MISCONFIGURED: PublicError = { status: 500, message: "This app is misconfigured." };
const UNKNOWN_CALLER: PublicError = { status: 500, message: "This app could not identify the caller." };
const UNEXPECTED: PublicError = { status: 500, message: "An unexpected error occurred." };

/** Codes with a status of their own. */
const BY_CODE: Record<string, PublicError> = {
  "agent/timeout": LATE,
  "token/timeout": LATE,
  "agent/no-reply": UPSTREAM,
  "agent/closed": UNAVAILABLE,
  "chat/authorize-failed": UNKNOWN_CALLER,
  "chat/authorize-invalid": UNKNOWN_CALLER,
  "chat/authorize-timeout": { ...UNKNOWN_CALLER, status: 504 },
  "chat/body-used": MISCONFIGURED,
  "chat/caller-failed": UNKNOWN_CALLER,
  "chat/caller-invalid": UNKNOWN_CALLER,
  "chat/caller-timeout": { ...UNKNOWN_CALLER, status: 504 },
  "credential/network": UNAVAILABLE,
  "credential/server-error": UNAVAILABLE,
  "credential/throttled": UNAVAILABLE,
  "model/content-filter": {
    status: 422,
    message: "The content filter blocked the prompt or the reply. Rephrase the prompt.",
  },
  "model/rate-limited": OVERLOADED,
  "sdk/runtime-ended": UNAVAILABLE,
  "sdk/send-failed": UNAVAILABLE,
  "token/closed": UNAVAILABLE,
  "token/rejected-again": UPSTREAM,
};

/** The other codes, by the part before the slash. */
const BY_CATEGORY: Record<string, PublicError> = {
  model: UPSTREAM,
  agent: UNEXPECTED,
  credential: MISCONFIGURED,
  diagnosis: MISCONFIGURED,
  endpoint: MISCONFIGURED,
  expiry: MISCONFIGURED,
  policy: MISCONFIGURED,
  provider: MISCONFIGURED,
  sdk: MISCONFIGURED,
  token: MISCONFIGURED,
};

/** The longest pause before a retry of a credential, in milliseconds: `RETRY_AFTER_MAX_MS` of the core. */
const CREDENTIAL_RETRY_MAX_MS = 120_000;

/** The default of `Retry-After`, in milliseconds. */
const RETRY_MS = 5_000;

/** An error as it is sent and logged. */
export interface Problem {
  status: number;
  code: string;
  /** The body of problem+json, RFC 9457. */
  body: Record<string, unknown>;
  headers: Record<string, string>;
  /** The full message, for the log. */
  detail: string;
}

/**
 * Converts an error to problem+json. Callers receive their own mistakes in full. Of other errors they
 * receive the code and a general message, unless `expose` is set; the log receives the details.
 */
export function problem(error: unknown, correlationId: string, expose: boolean): Problem {
  const known = error instanceof KeylessError ? error : undefined;
  const code = known?.code ?? "chat/unexpected";
  const ownStatus = code.startsWith("chat/") ? known?.status : undefined;
  const { status, message } =
    ownStatus === undefined
      ? (BY_CODE[code] ?? BY_CATEGORY[code.slice(0, code.indexOf("/"))] ?? UNEXPECTED)
      : { status: ownStatus, message: known?.message ?? "" };
  const exposed = known && (ownStatus !== undefined || expose) ? known : undefined;
  const maxWaitMs = code.startsWith("credential/") ? CREDENTIAL_RETRY_MAX_MS : Number.POSITIVE_INFINITY;
  const retryAfterMs = known?.retryAfterMs ?? (status === 503 ? RETRY_MS : undefined);
  const waitMs = retryAfterMs && Math.min(retryAfterMs, maxWaitMs);
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
      ...(seconds === undefined ? {} : { retryAfter: seconds }),
      correlationId,
    },
    headers: {
      ...HEADERS[status],
      ...(seconds === undefined ? {} : { "retry-after": String(seconds) }),
    },
    // Another error's message may hold a secret; that of a KeylessError is redacted already.
    detail: [known ? text : redacted(text), known?.hint].filter(Boolean).join(" "),
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
