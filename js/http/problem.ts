import type { ChatErrorCode, ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { coreModule } from "../wasm/bindings.js";

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

/** Creates the error for a caller that stalls a streamed reply. */
export function slowReader(stallMs: number): KeylessError {
  return chatError("chat/slow-reader", 408, `The caller read nothing for ${stallMs} ms`);
}

/** Creates the error for a call after the app was closed. */
export function closing(): KeylessError {
  return chatError("chat/closing", 503, "This app is shutting down", "Try again.");
}

/**
 * A failure as callers see it. A status that was meant for the app, such as a 401 of the resource,
 * is not passed on.
 */
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
const UNKNOWN_CALLER_IN_TIME: PublicError = { ...UNKNOWN_CALLER, status: 504 };
const FILTERED: PublicError = {
  status: 422,
  message: "The content filter blocked the prompt or the reply. Rephrase the prompt.",
};
const UNEXPECTED: PublicError = { status: 500, message: "An unexpected error occurred." };

/** The codes of these families, each with its answer. A new code must be added here. */
const BY_CODE: Record<CodeOf<"agent" | "credential" | "model" | "sdk" | "token">, PublicError> = {
  "agent/closed": UNAVAILABLE,
  "agent/empty-prompt": UNEXPECTED,
  "agent/invalid-option": UNEXPECTED,
  "agent/no-reply": UPSTREAM,
  "agent/session-open": UNEXPECTED,
  "agent/timeout": LATE,
  "credential/configuration": MISCONFIGURED,
  "credential/failed": MISCONFIGURED,
  "credential/invalid": MISCONFIGURED,
  "credential/network": UNAVAILABLE,
  "credential/not-installed": MISCONFIGURED,
  "credential/refused": MISCONFIGURED,
  "credential/server-error": UNAVAILABLE,
  "credential/throttled": UNAVAILABLE,
  "credential/unavailable": MISCONFIGURED,
  "model/api-version": UPSTREAM,
  "model/bad-key": UPSTREAM,
  "model/bad-request": UPSTREAM,
  "model/content-filter": FILTERED,
  "model/custom-subdomain-required": UPSTREAM,
  "model/deployment-not-found": UPSTREAM,
  "model/firewall": UPSTREAM,
  "model/gateway-key": UPSTREAM,
  "model/keys-disabled": UPSTREAM,
  "model/missing-role": UPSTREAM,
  "model/network": UPSTREAM,
  "model/operation-not-supported": UPSTREAM,
  "model/public-access-disabled": UPSTREAM,
  "model/rate-limited": OVERLOADED,
  "model/request-failed": UPSTREAM,
  "model/server-error": UPSTREAM,
  "model/token-expired": UPSTREAM,
  "model/token-invalid": UPSTREAM,
  "model/unknown": UPSTREAM,
  "model/wrong-audience": UPSTREAM,
  "model/wrong-path": UPSTREAM,
  "model/wrong-tenant": UPSTREAM,
  "sdk/client-refused": MISCONFIGURED,
  "sdk/home-not-writable": MISCONFIGURED,
  "sdk/not-installed": MISCONFIGURED,
  "sdk/rotate-failed": MISCONFIGURED,
  "sdk/runtime-ended": UNAVAILABLE,
  "sdk/send-failed": UNAVAILABLE,
  "sdk/session-not-found": MISCONFIGURED,
  "sdk/session-refused": MISCONFIGURED,
  "sdk/start-failed": MISCONFIGURED,
  "sdk/too-old": MISCONFIGURED,
  "sdk/unsupported-platform": MISCONFIGURED,
  "sdk/working-directory": MISCONFIGURED,
  "token/claims-challenge": MISCONFIGURED,
  "token/closed": UNAVAILABLE,
  "token/empty": MISCONFIGURED,
  "token/malformed": MISCONFIGURED,
  "token/not-renewed": MISCONFIGURED,
  "token/rejected-again": UPSTREAM,
  "token/timeout": LATE,
};

/** The codes of the HTTP handlers whose errors have no status of their own. */
const OF_HANDLERS: Partial<Record<ChatErrorCode, PublicError>> = {
  "chat/authorize-failed": UNKNOWN_CALLER,
  "chat/authorize-invalid": UNKNOWN_CALLER,
  "chat/authorize-timeout": UNKNOWN_CALLER_IN_TIME,
  "chat/body-used": MISCONFIGURED,
  "chat/caller-failed": UNKNOWN_CALLER,
  "chat/caller-invalid": UNKNOWN_CALLER,
  "chat/caller-timeout": UNKNOWN_CALLER_IN_TIME,
};

/** The codes of settings, by family. */
const BY_FAMILY: Record<
  Exclude<FamilyOf<ErrorCode>, FamilyOf<keyof typeof BY_CODE> | "chat">,
  PublicError
> = {
  diagnosis: MISCONFIGURED,
  emulator: UNEXPECTED,
  endpoint: MISCONFIGURED,
  expiry: MISCONFIGURED,
  policy: MISCONFIGURED,
  provider: MISCONFIGURED,
  scenario: UNEXPECTED,
};

type FamilyOf<Code extends ErrorCode> = Code extends `${infer Family}/${string}` ? Family : never;
type CodeOf<Family extends string> = Extract<ErrorCode, `${Family}/${string}`>;

/** The answer for an error that has no status of its own. */
function publicErrorOf(code: ErrorCode): PublicError {
  const byCode: Record<string, PublicError> = { ...BY_FAMILY, ...BY_CODE, ...OF_HANDLERS };
  return byCode[code] ?? byCode[code.slice(0, code.indexOf("/"))] ?? UNEXPECTED;
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
  const retryAfterMs = known?.retryAfterMs ?? (status === 503 ? RETRY_MS : undefined);
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
