import type { ChatErrorCode, ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";

/** An error of the caller's, or of this app's own, that is answered as it is. */
export function chatError(
  code: ChatErrorCode,
  status: number,
  message: string,
  hint?: string,
  retryAfterMs?: number,
) {
  return new KeylessError(code, message, { status, hint, retryAfterMs });
}

/** A caller wants a model that is not among those on offer. */
export function unknownModel(offered: Iterable<string>): KeylessError {
  const choice = `Choose from: ${[...offered].join(", ")}.`;
  return chatError("chat/unknown-model", 400, "This model is not served here", choice);
}

/** The caller has taken nothing of its answer for too long. */
export function slowReader(stallMs: number): KeylessError {
  return chatError("chat/slow-reader", 408, `The caller took nothing for ${stallMs} ms`);
}

/** The app has been told to end. */
export function closing(): KeylessError {
  return chatError("chat/closing", 503, "This app is ending", "Ask again.");
}

/** What a failure is for the caller: never a refusal that was meant for this app, such as a 401 of the resource. */
interface Verdict {
  status: number;
  /** For callers, to whom the app's resources and roles are no business. */
  says: string;
}

const UPSTREAM: Verdict = { status: 502, says: "The model refused the request, or failed." };
const LATE: Verdict = { status: 504, says: "The reply took too long." };
const OVERLOADED: Verdict = { status: 503, says: "The model has no capacity left for now." };
const UNAVAILABLE: Verdict = { status: 503, says: "A service behind this one is not available for now." };
const MISCONFIGURED: Verdict = { status: 500, says: "This app is not set up right." };
const UNKNOWN_CALLER: Verdict = { status: 500, says: "This app could not find out who asks." };
const UNKNOWN_CALLER_IN_TIME: Verdict = { ...UNKNOWN_CALLER, status: 504 };
const FILTERED: Verdict = {
  status: 422,
  says: "The content filter stopped the prompt, or the reply. Rephrase it.",
};
const UNEXPECTED: Verdict = { status: 500, says: "Something unexpected happened." };

/** The codes of these families, each with an answer of its own. A new code has to be added here. */
const BY_CODE: Record<CodeOf<"agent" | "credential" | "model" | "sdk" | "token">, Verdict> = {
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

/** What the HTTP handlers report themselves, without a status that the error carries. */
const OF_HANDLERS: Partial<Record<ChatErrorCode, Verdict>> = {
  "chat/authorize-failed": UNKNOWN_CALLER,
  "chat/authorize-invalid": UNKNOWN_CALLER,
  "chat/authorize-timeout": UNKNOWN_CALLER_IN_TIME,
  "chat/body-used": MISCONFIGURED,
  "chat/caller-failed": UNKNOWN_CALLER,
  "chat/caller-invalid": UNKNOWN_CALLER,
  "chat/caller-timeout": UNKNOWN_CALLER_IN_TIME,
};

/** The codes of the settings, by family. */
const BY_FAMILY: Record<Exclude<FamilyOf<ErrorCode>, FamilyOf<keyof typeof BY_CODE> | "chat">, Verdict> = {
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

/** The answer for an error that carries no status of its own. */
function verdictOf(code: ErrorCode): Verdict {
  const verdicts: Record<string, Verdict> = { ...BY_FAMILY, ...BY_CODE, ...OF_HANDLERS };
  return verdicts[code] ?? verdicts[code.slice(0, code.indexOf("/"))] ?? UNEXPECTED;
}

/** An identity endpoint is asked again after this at the latest, in milliseconds: `RETRY_AFTER_MAX_MS` of the core. */
const CREDENTIAL_WAIT_MAX_MS = 120_000;

/** How long to wait where nobody has said it, in milliseconds. */
const RETRY_MS = 5_000;

/** An error as it is answered and logged. */
export interface Problem {
  status: number;
  code: ErrorCode;
  /** The body of problem+json, RFC 9457. */
  body: Record<string, unknown>;
  headers: Record<string, string>;
  /** For the log: everything. */
  detail: string;
}

/**
 * An error as problem+json. A caller's own mistake is told in full; of anything else a caller learns the code and what it means for
 * them, and the log the rest, unless `expose` is set.
 */
export function problem(error: unknown, correlationId: string, expose: boolean): Problem {
  const known = error instanceof KeylessError ? error : undefined;
  const code = known?.code ?? "chat/unexpected";
  const own = code.startsWith("chat/") ? known?.status : undefined;
  const { status, says } = own === undefined ? verdictOf(code) : { status: own, says: known?.message ?? "" };
  const told = known && (own !== undefined || expose) ? known : undefined;
  const most = code.startsWith("credential/") ? CREDENTIAL_WAIT_MAX_MS : Number.POSITIVE_INFINITY;
  const asked = known?.retryAfterMs ?? (status === 503 ? RETRY_MS : undefined);
  const wait = asked && Math.min(asked, most);
  const seconds = wait === undefined ? undefined : Math.max(1, Math.ceil(wait / 1000));
  const text = error instanceof Error ? error.message : String(error);
  return {
    status,
    code,
    body: {
      title: TITLES[status] ?? "Error",
      status,
      code,
      detail: told?.message ?? says,
      ...(told?.hint === undefined ? {} : { hint: told.hint }),
      ...(seconds === undefined ? {} : { retryAfter: seconds }),
      correlationId,
    },
    headers: {
      ...HEADERS[status],
      ...(seconds === undefined ? {} : { "retry-after": String(seconds) }),
    },
    // What somebody else's error says may hold a secret; a KeylessError has been cleaned.
    detail: [known ? text : redacted(text), known?.hint].filter(Boolean).join(" "),
  };
}

const redacted = (text: string): string => new KeylessError("chat/unexpected", text).message;

/** Headers that RFC 9110 wants with a status. Which credential is taken is for the app to say. */
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
