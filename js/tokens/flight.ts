import { Attempts } from "../credentials/attempts.js";
import type { KeylessError } from "../errors/keyless-error.js";
import type { Clock } from "../platform/clock.js";
import { setBoundedTimeout, unref } from "../platform/clock.js";
import type { AccessToken } from "../wasm/types/token.js";
import { timeoutError } from "./errors.js";

/** The start of a {@link Flight}. */
interface FlightStart {
  /** The schedule's number. */
  id: number;
  /** Whether it refreshes a token that is still usable. */
  background: boolean;
  /** Whether callers wait for it. */
  awaited: boolean;
  /** The claims of the challenge that it answers. */
  claims: string | undefined;
}

/** An acquisition in flight, shared by all callers that wait for it: its promise and its timers. */
export class Flight {
  readonly id: number;
  readonly background: boolean;
  readonly claims: string | undefined;
  readonly abort = new AbortController();
  /** On the monotonic clock. */
  readonly startedOn: number;
  /** Whether callers wait for it. Then its deadline keeps the process alive. */
  awaited: boolean;
  attemptCount = 0;
  readonly attempts: Attempts;
  promise!: Promise<AccessToken>;
  resolve!: (token: AccessToken | Promise<AccessToken>) => void;
  reject!: (error: KeylessError) => void;
  readonly #clock: Clock;
  #deadline: unknown;
  #retry: unknown;
  /** The error of its last attempt, if it will be retried. */
  #failure: KeylessError | undefined;

  constructor(clock: Clock, { id, background, awaited, claims }: FlightStart) {
    this.id = id;
    this.background = background;
    this.awaited = awaited;
    this.claims = claims;
    this.startedOn = clock.monotonic();
    this.attempts = new Attempts(clock);
    this.#clock = clock;
    this.#defer();
  }

  /** Calls `onDeadline` after `ms` milliseconds, instead of an earlier deadline. */
  setDeadline(ms: number, onDeadline: () => void): void {
    this.#clock.clearTimeout(this.#deadline);
    this.#deadline = setBoundedTimeout(this.#clock, ms, onDeadline);
    if (!this.awaited) unref(this.#deadline);
  }

  /** Plans another attempt after `failure`. */
  setRetry(ms: number, failure: KeylessError, retry: () => void): void {
    this.#failure = failure;
    this.#retry = setBoundedTimeout(this.#clock, ms, retry);
  }

  /** Ends the pause before another attempt. Returns whether there was one. */
  endPause(): boolean {
    const paused = this.#retry !== undefined;
    this.#clock.clearTimeout(this.#retry);
    this.#retry = undefined;
    return paused;
  }

  /** Stops its timers. */
  end(): void {
    this.#clock.clearTimeout(this.#deadline);
    this.#clock.clearTimeout(this.#retry);
  }

  /**
   * Resolves its callers with the token of an earlier flight that was late. Callers that join from
   * now on wait for its own token.
   */
  resolveWaiters(token: AccessToken): void {
    this.resolve(token);
    this.#defer();
    this.awaited = false;
    unref(this.#deadline);
    unref(this.#retry);
  }

  /** The last failure, if callers still wait: of an attempt, or of a request of the current one. */
  get lastFailure(): KeylessError | undefined {
    return this.attempts.outage() ?? this.#failure;
  }

  /** Returns the error of its deadline, with the last failure. */
  timeoutError(): KeylessError {
    return timeoutError(this.#clock.monotonic() - this.startedOn, this.lastFailure);
  }

  #defer(): void {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Possibly nobody waits for it; the status and the events report a failure all the same.
    this.promise.catch(() => {});
  }
}
