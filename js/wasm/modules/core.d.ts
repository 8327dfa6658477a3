// The bindings of crates/wasm/src/core.rs, written by hand. The build adds wasm-pack's module.

import type { CoreError } from "../types/core-error.js";
import type { TokenSource } from "../types/identity.js";
import type { AccessToken, RefreshPolicy, TokenStatus } from "../types/token.js";

export function initSync(options: { module: Uint8Array }): void;

/** Both throw a {@link CoreError}. */
export function parseTokenResponseText(json: string, requestedAt: number, zone: Zone): AccessToken;
export function parseTokenResponseObject(object: unknown, requestedAt: number, zone: Zone): AccessToken;

/** Returns the offset in minutes east of UTC at a local time that is given as if it were UTC. */
export type Zone = (localMs: number) => number | undefined;

/**
 * Returns the token, or the assertion of an `assertionCall`, in a response of an identity endpoint;
 * undefined for a response that `judgeTokenAnswer` of explain.d.ts has to judge.
 */
export function acceptTokenAnswer(
  source: TokenSource,
  ofAssertion: boolean,
  status: number,
  body: string,
  requestedAt: number,
): { token: AccessToken } | { assertion: string } | undefined;

/** Returns the longest pause that counts when an identity endpoint asks for one, in milliseconds. */
export function maxRetryAfterMs(): number;

/**
 * Whether a token that was just acquired has expired or expires within a second. Times in epoch
 * milliseconds.
 */
export function seemsExpired(expiresOn: number, now: number): boolean;
/**
 * Returns the true expiry of a token that seems expired, on this machine's clock, or `undefined` if
 * it has really expired. `date` is the `Date` of a response to a request sent at `askedAt`, or
 * empty.
 */
export function correctedExpiry(
  token: string,
  expiresOn: number,
  now: number,
  date: string,
  askedAt: number,
): number | undefined;

export interface FlightStart {
  flight: number;
  timeoutMs: number;
}

export type Decision =
  | { do: "use"; phase: "fresh" | "due"; untilWall: number; untilMono: number; start?: FlightStart }
  | { do: "wait"; flight: number; timeoutMs: number; start: boolean }
  | { do: "refuse"; retryAfterMs: number }
  | { do: "closed" };

export type Outcome =
  | { result: "accepted" | "unchanged" | "failed" | "ignored" }
  | { result: "retry"; detail: { afterMs: number } }
  | { result: "refused"; detail: CoreError };

/**
 * The refresh schedule. Times in milliseconds: `wall` since the epoch, `mono` since a fixed point.
 */
export class Schedule {
  /** Throws a {@link CoreError}. */
  constructor(policy: Partial<RefreshPolicy>);
  request(wall: number, mono: number): Decision;
  refresh(wall: number, mono: number): Decision;
  wake(wall: number, mono: number): FlightStart | undefined;
  nextWake(wall: number, mono: number): number | undefined;
  acquired(
    flight: number,
    requestedWall: number,
    requestedMono: number,
    expiresOn: number,
    refreshAfter: number | undefined,
    wall: number,
    mono: number,
    random: number,
  ): Outcome;
  failed(
    flight: number,
    status: number | undefined,
    unavailable: boolean,
    retryAfterMs: number | undefined,
    wall: number,
    mono: number,
    random: number,
  ): Outcome;
  timedOut(
    flight: number,
    retryAfterMs: number | undefined,
    wall: number,
    mono: number,
    random: number,
  ): Outcome;
  waitLeft(sinceWall: number, sinceMono: number, wall: number, mono: number): number;
  rejectedAgain(flight: number, wall: number, mono: number, random: number): Outcome;
  invalidate(wall: number, mono: number): boolean;
  challenged(wall: number, mono: number): boolean;
  /** How long {@link invalidate} does nothing, in milliseconds; with `claims`, {@link challenged}. */
  renewalLeft(claims: boolean, wall: number, mono: number): number;
  close(): void;
  status(wall: number, mono: number): Omit<TokenStatus, "lastError">;
}

/**
 * Decides when the direct credential takes the place of the default one, which returned an unusable
 * token or failed. `mono` in milliseconds since a fixed point.
 */
export class CacheFallback {
  constructor();
  /** Marks a token as rejected by the resource. */
  markRejected(token: string): void;
  /** Marks its expiry as refused. */
  markRefused(token: string, expiresOn: number): void;
  isRejected(token: string): boolean;
  /** Whether the resource rejected a token, or its expiry was refused. */
  isUnusable(token: string, expiresOn: number): boolean;
  /** Whether to ask the direct credential now. */
  mayAsk(mono: number): boolean;
  /** Whether to ask it after the default one failed, with the identity endpoint's HTTP status. */
  mayAskAfterFailure(status: number | undefined, mono: number): boolean;
  /**
   * Reports the token of the direct credential and its expiry, or an empty one if there is none.
   * `unusable` is empty after a failure. Returns whether to use the token instead of the unusable
   * one.
   */
  answered(unusable: string, answer: string, expiresOn: number, aborted: boolean, mono: number): boolean;
  clear(): void;
}
