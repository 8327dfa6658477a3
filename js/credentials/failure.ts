import { causes, type Loose } from "../errors/causes.js";
import type { ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { redact } from "../errors/redact.js";
import type * as planBindings from "../wasm/modules/plan.js";
import type { ErrorSummary } from "../wasm/token.js";

/** What an error of a credential says about the next attempt. */
export interface CredentialFailure {
  error: KeylessError;
  /** The identity endpoint's HTTP status. */
  status?: number;
  /** The pause that it asked for. */
  retryAfterMs?: number;
  /** Whether the credential says that it cannot be used here at all, as when `az` is missing. */
  unavailable: boolean;
}

/** What the core knows about errors. */
type Knowledge = Pick<typeof planBindings, "adviceOn" | "retryAfterMs">;

/** Knows what to do about some messages. */
type Advise = Knowledge["adviceOn"];

/** What the errors of a chain show, beside a status. */
interface Signs {
  network?: boolean;
  /** MSAL says `network_error` of an answer that is no JSON, too, and keeps nothing that would tell. */
  maybeUnreadable?: boolean;
  unreadable?: boolean;
  unavailable?: boolean;
}

const LOOK_AT_ANSWER =
  "Look at what answers in the place of the identity endpoint: a proxy, or a sign-in page of the network.";

const NETWORK_CODES =
  /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|UND_ERR|REQUEST_SEND_ERROR|network_error)/;

/**
 * Reads what a credential threw at a time (epoch ms, from which a `Retry-After` that is a date counts): `@azure/identity` buries the status
 * in causes and in the errors of a chain.
 */
export function credentialFailure(thrown: unknown, core: Knowledge, now: number): CredentialFailure {
  try {
    return read(thrown, core, now);
  } catch {
    // Somebody's error has a getter that throws. It must not cost the callers their answer.
    return { error: describe(undefined, undefined, {}, () => undefined), unavailable: false };
  }
}

function read(thrown: unknown, core: Knowledge, now: number): CredentialFailure {
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
  // It says so of everything, of its own trouble with an answer too.
  const unreadable = declared && chain.some(({ name }) => name === "TypeError" || name === "SyntaxError");
  const unavailable = declared && !unreadable;
  const retryAfterMs = chain
    .map((error) => retryAfter(error, core, now))
    .find((found) => found !== undefined);
  const maybeUnreadable = chain.some(({ errorCode }) => errorCode === "network_error");
  const error = describe(
    thrown,
    status,
    { network, maybeUnreadable, unreadable, unavailable },
    core.adviceOn,
  );
  return { error, unavailable, ...statusOf(status), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** An error as it may stand in a status or an event. */
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
  { network, maybeUnreadable, unreadable, unavailable }: Signs,
  advise: Advise,
): KeylessError {
  const said = firstLines(cause);
  const because = said === "" ? "" : `: ${said}`;
  // Entra's numbers tell more than the status.
  const advice = said === "" ? undefined : advise(said);
  const make = (code: ErrorCode, message: string, hint: string) =>
    new KeylessError(code, message + because, { hint: advice ?? hint, status, cause });
  if (status === 429) {
    return make(
      "credential/throttled",
      "The identity endpoint asks for fewer requests",
      "It is asked again later by itself; share one credential and one provider among all sessions.",
    );
  }
  if (status !== undefined && status >= 500) {
    return make(
      "credential/server-error",
      `The identity endpoint failed with HTTP ${status}`,
      "It is asked again later by itself; if it lasts, look at the host's identity service.",
    );
  }
  if (status !== undefined && status >= 400) {
    return make(
      "credential/refused",
      `The identity endpoint refused with HTTP ${status}`,
      "Check the tenant, the client id (AZURE_CLIENT_ID for a user-assigned identity) and that the identity is assigned to this host.",
    );
  }
  if (unreadable) {
    return make("credential/failed", "The identity endpoint's answer cannot be read", LOOK_AT_ANSWER);
  }
  if (network && maybeUnreadable) {
    return make(
      "credential/network",
      "The identity endpoint cannot be reached, or its answer cannot be read",
      `In Azure, check that a managed identity is assigned. Elsewhere run \`az login\` and set AZURE_TOKEN_CREDENTIALS=dev. ${LOOK_AT_ANSWER}`,
    );
  }
  if (network) {
    return make(
      "credential/network",
      "The identity endpoint cannot be reached",
      "In Azure, check that a managed identity is assigned. Elsewhere run `az login` and set AZURE_TOKEN_CREDENTIALS=dev.",
    );
  }
  if (unavailable) {
    return make(
      "credential/unavailable",
      "No credential can be used here",
      "On a developer's machine run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure assign a managed identity and set AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.",
    );
  }
  return make(
    "credential/failed",
    "The credential gave no token",
    "See the cause (--debug, or error.cause).",
  );
}

/** The innermost message of a chain says most; three lines of it are enough, and none of them a secret. */
function firstLines(cause: unknown): string {
  // By its shape: an error of another realm, as test runners have them, is no instance of this one's Error.
  const said =
    typeof cause === "string" ? cause : (cause as { message?: unknown } | null | undefined)?.message;
  if (typeof said !== "string") return "";
  const lines = said
    .split("\n")
    .map((line) =>
      line.replace(/^(CredentialUnavailableError|AuthenticationRequiredError|Error):\s*/, "").trim(),
    )
    .filter((line) => line !== "" && !/^ChainedTokenCredential authentication failed\.?$/.test(line));
  const unique = [...new Set(lines)];
  // First the secrets, then the length: half a token is not recognised as one.
  const shown = redact(unique.slice(0, 3).join(" "));
  return shown.length > 400 ? `${shown.slice(0, 400)}…` : shown;
}

function httpStatus(error: Loose): number | undefined {
  return [error.statusCode, error.status].find(
    (status): status is number => typeof status === "number" && status >= 300 && status <= 599,
  );
}

/** `Retry-After` in milliseconds: a property some errors have, or a header of the response. */
function retryAfter(error: Loose, core: Knowledge, now: number): number | undefined {
  if (typeof error.retryAfterInMs === "number") return error.retryAfterInMs;
  const headers = (error.response as { headers?: unknown } | undefined)?.headers ?? error.headers;
  if (typeof headers !== "object" || headers === null) return undefined;
  const value = header(headers, "retry-after");
  return value === undefined ? undefined : core.retryAfterMs(value, header(headers, "date") ?? "", now);
}

function header(headers: object, wanted: string): string | undefined {
  const get = (headers as { get?: unknown }).get;
  const value =
    typeof get === "function"
      ? get.call(headers, wanted)
      : Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
  return value === undefined || value === null ? undefined : String(value);
}
