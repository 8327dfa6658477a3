import { KeylessError } from "../errors/keyless-error.js";
import { isResourceErrorCode, type ResourceErrorCode } from "./errors.js";

/** Which of the two servers of the emulator. */
export type EmulatorServer = "identity" | "foundry";

/** What a predicate of a fault can look at. Header names are in lower case; credentials are left out. */
export interface FaultRequest {
  readonly server: EmulatorServer;
  readonly method: string;
  readonly path: string;
  /** Without the question mark; empty when there is none. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Where and how often a fault applies. */
export interface FaultTarget {
  readonly server: EmulatorServer;
  /** A part of the path and query, or a predicate; every request when absent. */
  readonly match?: string | ((request: FaultRequest) => boolean);
  /** How many requests it applies to: 1 unless told, `Infinity` for all. */
  readonly times?: number;
}

/**
 * Answers with a status at once, before any check of the token. Without `body`, Azure's own body for the status, or for
 * `error` (foundry only), which also sets the status. A 429 gets `retry-after` (1 second unless `headers` say otherwise).
 */
export interface StatusFault extends FaultTarget {
  readonly kind: "status";
  readonly status?: number;
  readonly error?: ResourceErrorCode;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with a body of your own, status 200 unless told, before any check of the token. */
export interface BodyFault extends FaultTarget {
  readonly kind: "body";
  readonly body: unknown;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Waits, then gives the real answer. */
export interface DelayFault extends FaultTarget {
  readonly kind: "delay";
  /** Milliseconds. */
  readonly delayMs: number;
}

/** `hang` never answers, until the caller leaves or the emulator stops; `reset` resets the connection (RST). */
export interface ConnectionFault extends FaultTarget {
  readonly kind: "hang" | "reset";
}

/** Sends the head of the real answer at once, and its body in small pieces over so many milliseconds. */
export interface SlowBodyFault extends FaultTarget {
  readonly kind: "slow-body";
  /** Milliseconds. */
  readonly delayMs: number;
}

/** Sends the beginning of the real answer, then ends the connection. */
export interface CutStreamFault extends FaultTarget {
  readonly kind: "cut-stream";
  /** Server-sent events let through before the cut; 3 unless told. Of an answer in one piece, half is sent. */
  readonly afterEvents?: number;
}

/**
 * Foundry only: refuses a good token with a claims challenge (continuous access evaluation) until it is one that was issued
 * with these claims: `?claims=` of the identity endpoints, which the real ones do not have.
 */
export interface ClaimsChallengeFault extends FaultTarget {
  readonly kind: "claims-challenge";
  readonly server: "foundry";
  /** JSON text. */
  readonly claims: string;
}

/** Identity only: the token is for another audience than asked. */
export interface WrongAudienceFault extends FaultTarget {
  readonly kind: "wrong-audience";
  readonly server: "identity";
  /** `https://management.azure.com` unless told. */
  readonly audience?: string;
}

/** Identity only: `expires_on` is the given value, whatever that is; the token itself is good. */
export interface MalformedExpiryFault extends FaultTarget {
  readonly kind: "malformed-expiry";
  readonly server: "identity";
  readonly expiresOn: unknown;
}

/** Identity only: the token expired a minute ago. `expires_on` says so too, unless a value is given for it. */
export interface ExpiredFault extends FaultTarget {
  readonly kind: "expired";
  readonly server: "identity";
  readonly expiresOn?: unknown;
}

/** What can go wrong on purpose. */
export type Fault =
  | StatusFault
  | BodyFault
  | DelayFault
  | ConnectionFault
  | SlowBodyFault
  | CutStreamFault
  | ClaimsChallengeFault
  | WrongAudienceFault
  | MalformedExpiryFault
  | ExpiredFault;

/** Faults that change the token, not the answer around it. */
export type TokenFault = WrongAudienceFault | MalformedExpiryFault | ExpiredFault;

/** The `kind` of a {@link Fault}. */
export type FaultKind = Fault["kind"];

/** A fault that was added. */
export interface FaultHandle {
  /** Requests it has been applied to. */
  readonly hits: number;
  /** Takes it back; what it has already been applied to goes on. */
  remove(): void;
}

/**
 * Faults of both servers. A request meets at most one: the first added that matches and is not used up.
 *
 * @example
 * ```ts
 * emulator.faults.add({ server: "foundry", kind: "status", status: 429 }); // the next request only
 * const down = emulator.faults.add({ server: "identity", kind: "reset", times: Infinity });
 * down.remove();
 * ```
 */
export interface Faults {
  /** Throws a KeylessError `emulator/invalid-fault` when the fault makes no sense. */
  add(fault: Fault): FaultHandle;
  /** Takes all faults back. */
  clear(): void;
}

interface Entry {
  readonly fault: Fault;
  left: number;
  hits: number;
}

/** The faults still to come, in the order they were added. */
export class FaultQueue implements Faults {
  #entries: Entry[] = [];

  add(given: Fault): FaultHandle {
    const fault = copyOf(given);
    checkFault(fault);
    const entry: Entry = { fault, left: fault.times ?? 1, hits: 0 };
    this.#entries.push(entry);
    const remove = () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
    return {
      get hits() {
        return entry.hits;
      },
      remove,
    };
  }

  clear(): void {
    this.#entries = [];
  }

  /** The fault for this request, if any; it counts as used. */
  take(request: FaultRequest): Fault | undefined {
    const entry = this.#entries.find(({ fault }) => applies(fault, request));
    if (!entry) return undefined;
    entry.hits += 1;
    entry.left -= 1;
    if (entry.left <= 0) this.#entries = this.#entries.filter((other) => other !== entry);
    return entry.fault;
  }
}

function applies(fault: Fault, request: FaultRequest): boolean {
  if (fault.server !== request.server) return false;
  if (typeof fault.match === "function") return matches(fault.match, request);
  return fault.match === undefined || `${request.path}?${request.query}`.includes(fault.match);
}

/** A predicate that throws matches nothing. */
function matches(match: (request: FaultRequest) => boolean, request: FaultRequest): boolean {
  try {
    return match(request);
  } catch {
    return false;
  }
}

const SERVER_OF_KIND: Record<FaultKind, EmulatorServer | "both"> = {
  status: "both",
  body: "both",
  delay: "both",
  hang: "both",
  reset: "both",
  "slow-body": "both",
  "cut-stream": "both",
  "claims-challenge": "foundry",
  "wrong-audience": "identity",
  "malformed-expiry": "identity",
  expired: "identity",
};

/** A fault of its own, which its maker changes no more. */
function copyOf(fault: Fault): Fault {
  try {
    return { ...fault };
  } catch {
    throw new KeylessError("emulator/invalid-fault", "The `fault` cannot be read: a getter of it throws.");
  }
}

function checkFault(fault: Fault): void {
  // JavaScript callers and configuration files get here without a compiler in between.
  const given = { ...fault } as Partial<Record<string, unknown>>;
  const { kind, server, match, times, status, error, headers, delayMs, afterEvents, audience, claims } =
    given;
  const need = (fine: boolean, sentence: string) => {
    if (!fine) throw new KeylessError("emulator/invalid-fault", `The \`fault\` cannot be used: ${sentence}`);
  };
  need(server === "identity" || server === "foundry", '`server` is "identity" or "foundry".');
  need(
    typeof kind === "string" && Object.hasOwn(SERVER_OF_KIND, kind),
    `\`kind\` is one of ${Object.keys(SERVER_OF_KIND).join(", ")}.`,
  );
  const only = SERVER_OF_KIND[kind as FaultKind];
  need(only === "both" || only === server, `kind "${kind}" is for the ${only} server only.`);
  need(
    match === undefined || typeof match === "string" || typeof match === "function",
    "`match` is a part of the path or a function.",
  );
  need(
    times === undefined || times === Number.POSITIVE_INFINITY || isWhole(times, 1),
    "`times` is a whole number from 1 on, or Infinity.",
  );
  need(
    status === undefined || (isWhole(status, 200) && (status as number) <= 599),
    "`status` is a whole number from 200 to 599.",
  );
  need(error === undefined || isResourceErrorCode(error), "`error` names none of the resource's errors.");
  need(error === undefined || server === "foundry", "`error` is for the foundry server only.");
  need(headers === undefined || areHeaders(headers), "`headers` maps valid header names to strings.");
  if (kind === "status") need(status !== undefined || error !== undefined, "`status` or `error` is missing.");
  if (kind === "body") need(given.body !== undefined, "`body` is missing.");
  if (kind === "delay" || kind === "slow-body") {
    need(
      typeof delayMs === "number" && delayMs >= 0 && delayMs <= 2 ** 31 - 1,
      "`delayMs` is a number of milliseconds from 0 on.",
    );
  }
  if (kind === "claims-challenge") need(typeof claims === "string" && claims !== "", "`claims` is missing.");
  if (kind === "malformed-expiry") need(Object.hasOwn(given, "expiresOn"), "`expiresOn` is missing.");
  need(afterEvents === undefined || isWhole(afterEvents, 0), "`afterEvents` is a whole number from 0 on.");
  need(
    audience === undefined || (typeof audience === "string" && audience !== ""),
    "`audience` is a string that is not empty.",
  );
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function areHeaders(value: unknown): boolean {
  try {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    if (!Object.values(value).every((text) => typeof text === "string")) return false;
    new Headers(value as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}
