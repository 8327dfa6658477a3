import { KeylessError } from "../errors/keyless-error.js";
import { isResourceErrorCode, type ResourceErrorCode } from "./errors.js";

/** A server of the emulator. */
export type EmulatorServer = "identity" | "foundry";

/**
 * The request that a fault's predicate receives. Header names are in lower case; headers with
 * credentials are omitted.
 */
export interface FaultRequest {
  readonly server: EmulatorServer;
  readonly method: string;
  readonly path: string;
  /** Without the question mark; empty if there is none. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Which requests a fault applies to. */
export interface FaultTarget {
  readonly server: EmulatorServer;
  /** A part of the path and query, or a predicate. Default: every request. */
  readonly match?: string | ((request: FaultRequest) => boolean);
  /** The number of requests that it applies to; `Infinity` for all. Default 1. */
  readonly times?: number;
}

/**
 * Responds with a status at once, before the token is checked. Without `body` it sends Azure's body
 * for the status, or for `error` (foundry only), which also sets the status. A 429 has a
 * `retry-after` of 1 second; `headers` can override it.
 */
export interface StatusFault extends FaultTarget {
  readonly kind: "status";
  readonly status?: number;
  readonly error?: ResourceErrorCode;
  /** A string is sent as it is, other values as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Responds with your own body before the token is checked. Default status 200. */
export interface BodyFault extends FaultTarget {
  readonly kind: "body";
  readonly body: unknown;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Delays the response. */
export interface DelayFault extends FaultTarget {
  readonly kind: "delay";
  /** Milliseconds. */
  readonly delayMs: number;
}

/**
 * `hang` never responds, until the caller disconnects or the emulator stops. `reset` resets the
 * connection (RST).
 */
export interface ConnectionFault extends FaultTarget {
  readonly kind: "hang" | "reset";
}

/** Sends the head of the response at once, and its body in small pieces over `delayMs`. */
export interface SlowBodyFault extends FaultTarget {
  readonly kind: "slow-body";
  /** Milliseconds. */
  readonly delayMs: number;
}

/** Sends the beginning of the response, then ends the connection. */
export interface CutStreamFault extends FaultTarget {
  readonly kind: "cut-stream";
  /**
   * The number of server-sent events before the cut. Default 3. Of a response that is not streamed,
   * half is sent.
   */
  readonly afterEvents?: number;
}

/**
 * Foundry only: rejects valid tokens with a claims challenge (continuous access evaluation), except
 * those issued with these claims, and those that the platform issued in the place of a revoked one.
 * The emulator's identity endpoints take claims as `?claims=`; the real ones do not.
 */
export interface ClaimsChallengeFault extends FaultTarget {
  readonly kind: "claims-challenge";
  readonly server: "foundry";
  /** JSON text. */
  readonly claims: string;
}

/** Identity only: issues a token for another audience than requested. */
export interface WrongAudienceFault extends FaultTarget {
  readonly kind: "wrong-audience";
  readonly server: "identity";
  /** Default `https://management.azure.com`. */
  readonly audience?: string;
}

/** Identity only: sends any value as `expires_on`; the token itself is valid. */
export interface MalformedExpiryFault extends FaultTarget {
  readonly kind: "malformed-expiry";
  readonly server: "identity";
  readonly expiresOn: unknown;
}

/** Identity only: issues a token that expired a minute ago. `expiresOn` overrides `expires_on`. */
export interface ExpiredFault extends FaultTarget {
  readonly kind: "expired";
  readonly server: "identity";
  readonly expiresOn?: unknown;
}

/** A scripted fault. */
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

/** Faults that change the token, not the response. */
export type TokenFault = WrongAudienceFault | MalformedExpiryFault | ExpiredFault;

/** The `kind` of a {@link Fault}. */
export type FaultKind = Fault["kind"];

/** A fault that was added. */
export interface FaultHandle {
  /** The number of requests that it was applied to. */
  readonly hits: number;
  /** Removes the fault. Requests that it was already applied to are not affected. */
  remove(): void;
}

/**
 * The faults of both servers. At most one applies to a request: the first one added that matches
 * and is not used up.
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
  /** Removes all faults. */
  clear(): void;
}

interface Entry {
  readonly fault: Fault;
  left: number;
  hits: number;
}

/** The remaining faults, in the order in which they were added. */
export class FaultQueue implements Faults {
  #entries: Entry[] = [];

  add(original: Fault): FaultHandle {
    const fault = copyOf(original);
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

  /** Returns the fault for a request, and counts it as used. */
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

/** Calls a predicate. One that throws does not match. */
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

/** Copies a fault, so that later changes of the original have no effect. */
function copyOf(fault: Fault): Fault {
  try {
    return { ...fault };
  } catch {
    throw new KeylessError("emulator/invalid-fault", "The `fault` cannot be read: a getter of it throws.");
  }
}

function checkFault(fault: Fault): void {
  // Callers in JavaScript are not checked by a compiler.
  const fields = { ...fault } as Partial<Record<string, unknown>>;
  const { kind, server, match, times, status, error, headers, delayMs, afterEvents, audience, claims } =
    fields;
  const need = (condition: boolean, requirement: string) => {
    if (!condition)
      throw new KeylessError("emulator/invalid-fault", `The \`fault\` is invalid: ${requirement}`);
  };
  need(server === "identity" || server === "foundry", '`server` must be "identity" or "foundry".');
  need(
    typeof kind === "string" && Object.hasOwn(SERVER_OF_KIND, kind),
    `\`kind\` must be one of ${Object.keys(SERVER_OF_KIND).join(", ")}.`,
  );
  const only = SERVER_OF_KIND[kind as FaultKind];
  need(only === "both" || only === server, `kind "${kind}" is for the ${only} server only.`);
  need(
    match === undefined || typeof match === "string" || typeof match === "function",
    "`match` must be a part of the path or a function.",
  );
  need(
    times === undefined || times === Number.POSITIVE_INFINITY || isWhole(times, 1),
    "`times` must be a whole number from 1 on, or Infinity.",
  );
  need(
    status === undefined || (isWhole(status, 200) && (status as number) <= 599),
    "`status` must be a whole number from 200 to 599.",
  );
  need(error === undefined || isResourceErrorCode(error), "`error` must be an error of the resource.");
  need(error === undefined || server === "foundry", "`error` is for the foundry server only.");
  need(headers === undefined || areHeaders(headers), "`headers` must map valid header names to strings.");
  if (kind === "status") need(status !== undefined || error !== undefined, "`status` or `error` is missing.");
  if (kind === "body") need(fields.body !== undefined, "`body` is missing.");
  if (kind === "delay" || kind === "slow-body") {
    need(
      typeof delayMs === "number" && delayMs >= 0 && delayMs <= 2 ** 31 - 1,
      "`delayMs` must be a number of milliseconds from 0 on.",
    );
  }
  if (kind === "claims-challenge") need(typeof claims === "string" && claims !== "", "`claims` is missing.");
  if (kind === "malformed-expiry") need(Object.hasOwn(fields, "expiresOn"), "`expiresOn` is missing.");
  need(
    afterEvents === undefined || isWhole(afterEvents, 0),
    "`afterEvents` must be a whole number from 0 on.",
  );
  need(
    audience === undefined || (typeof audience === "string" && audience !== ""),
    "`audience` must be a non-empty string.",
  );
}

function isWhole(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min;
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
