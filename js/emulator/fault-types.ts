import type { ResourceErrorCode } from "./errors.js";

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
  /** The body as it was sent; empty if there is none. */
  readonly body: string;
  /** The `model` of the body. */
  readonly model?: string;
  /** The deployment: that of a dated path, else the `model` of the body, which names it. */
  readonly deployment?: string;
  /**
   * Who asks: the body's `user`, `safety_identifier` and `metadata.user_id`, and the `appid` and
   * `oid` of a valid token.
   */
  readonly users: readonly string[];
}

/** What a request must have for a fault to apply. All that is given must hold. */
export interface RequestMatch {
  /** A part of the path and query. */
  readonly path?: string;
  /** The `model` of the body. */
  readonly model?: string;
  /** The deployment: that of a dated path, else the `model` of the body. */
  readonly deployment?: string;
  /**
   * A part of the body as it was sent, where quotes and line breaks are escaped as in JSON; or a
   * predicate of the parsed body.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the body has the shape of the API that was called.
  readonly body?: string | ((body: any) => boolean);
  /** One of {@link FaultRequest.users}. */
  readonly user?: string;
  /** Values of headers, by name. Headers with a credential never match. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Which requests a fault applies to. */
export interface FaultTarget {
  readonly server: EmulatorServer;
  /** A part of the path and query, parts of the request, or a predicate. Default: every request. */
  readonly match?: string | RequestMatch | ((request: FaultRequest) => boolean);
  /** The number of requests that it applies to; `Infinity` or `"always"` for all. Default 1. */
  readonly times?: number | "always";
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
 * Foundry only: an error in the middle of a reply. A streamed reply keeps its status 200: Chat
 * Completions sends `{ "error": ... }`, Messages the event `error`, Responses what `event` says. A
 * reply that is not streamed is the error alone, with status 429 or 500.
 */
export interface StreamErrorFault extends FaultTarget {
  readonly kind: "stream-error";
  readonly server: "foundry";
  /** The number of events before it. Default: those up to the first piece of the reply. */
  readonly afterEvents?: number;
  /**
   * Of Responses: `response.failed` with the error in it, an `error` event, or, as Azure sends when
   * a rate limit is met in mid-stream, a `response.failed` without the error and then the `error`
   * event. Default `"both"`.
   */
  readonly event?: "response.failed" | "error" | "both";
  /** Default `server_error`; with `rate_limit_exceeded` or `no_capacity` the status is 429. */
  readonly code?: string;
  readonly message?: string;
}

/**
 * Foundry only: the reply ends after some words because its limit of output tokens is reached:
 * `response.incomplete`, `finish_reason: "length"` or `stop_reason: "max_tokens"`.
 */
export interface LengthFault extends FaultTarget {
  readonly kind: "length";
  readonly server: "foundry";
  /** Default 3. */
  readonly afterWords?: number;
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
  | StreamErrorFault
  | LengthFault
  | ClaimsChallengeFault
  | WrongAudienceFault
  | MalformedExpiryFault
  | ExpiredFault;

/** Faults that change the token, not the response. */
export type TokenFault = WrongAudienceFault | MalformedExpiryFault | ExpiredFault;

/** Faults that change the reply of the model. */
export type ReplyFault = StreamErrorFault | LengthFault;

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
 * emulator.faults.add({
 *   server: "foundry",
 *   kind: "stream-error",
 *   match: { deployment: "gpt-4o", body: "weather", user: "ann" },
 * });
 * ```
 */
export interface Faults {
  /** Throws a KeylessError `emulator/invalid-fault` when the fault makes no sense. */
  add(fault: Fault): FaultHandle;
  /** Removes all faults. */
  clear(): void;
}
