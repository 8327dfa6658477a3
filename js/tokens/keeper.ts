import type { Attempts } from "../credentials/attempts.js";
import type { GetTokenOptions, TokenCredential } from "../credentials/credential.js";
import { credentialFailure, summarize } from "../credentials/failure.js";
import type { KeylessError } from "../errors/keyless-error.js";
import type { Clock } from "../platform/clock.js";
import { waitUntil } from "../platform/wait-until.js";
import { coreModule, keylessError } from "../wasm/bindings.js";
import type { Decision, Outcome, Schedule } from "../wasm/modules/core.js";
import type { AccessToken, RefreshPolicy, TokenStatus } from "../wasm/types/token.js";
import { acquire } from "./acquisition.js";
import { CacheFallback } from "./cache-fallback.js";
import { CachedAnswer } from "./cached-answer.js";
import { tokenOf, withoutBearer } from "./clean-token.js";
import {
  challengedAgainError,
  claimsIgnoredError,
  closedError,
  rejectedAgainError,
  supersededError,
  withPause,
} from "./errors.js";
import { TokenEvents } from "./events.js";
import { Flight } from "./flight.js";
import type { TokenEvent } from "./types.js";
import { WakeTimer } from "./wake-timer.js";

/** When to ask again, in milliseconds, where the next call makes an attempt at once or joins one. */
const NO_PAUSE_MS = 1_000;

/** The time on both clocks, in milliseconds. */
export type Time = readonly [wall: number, mono: number];

/** Settings of every acquisition of a keeper. */
interface KeeperOptions {
  policy: Partial<RefreshPolicy>;
  tenantId: string | undefined;
  enableCae: boolean;
}

/**
 * Carries out the decisions of the refresh schedule for one credential, scope and tenant: calls the
 * credential, sets timers, settles promises and emits events. Providers that are created for the
 * same three share one keeper.
 */
export class TokenKeeper {
  readonly cachedAnswer: CachedAnswer;
  readonly clock: Clock;
  readonly #credential: TokenCredential;
  readonly #scope: string | string[];
  readonly #callOptions: Pick<GetTokenOptions, "tenantId" | "enableCae">;
  readonly #schedule: Schedule;
  readonly #events: TokenEvents;
  readonly #cacheFallback: CacheFallback;
  readonly #wakeTimer: WakeTimer;
  #token: AccessToken | undefined;
  /** Whether the current token was acquired with the claims of a challenge. */
  #tokenHasClaims = false;
  #rejectedToken: string | undefined;
  /** The rejected token, after the credential returned it again. */
  #rejectedTokenFromCache: AccessToken | undefined;
  #flight: Flight | undefined;
  /** What the credential has not answered yet, also of flights that were given up. */
  readonly #unanswered = new Set<Attempts>();
  #lastError: KeylessError | undefined;

  constructor(
    credential: TokenCredential,
    scope: string | string[],
    clock: Clock,
    { policy, tenantId, enableCae }: KeeperOptions,
  ) {
    this.#credential = credential;
    this.#scope = scope;
    const tenant = tenantId === undefined ? {} : { tenantId };
    this.#callOptions = { ...tenant, ...(enableCae ? { enableCae } : {}) };
    this.clock = clock;
    this.cachedAnswer = new CachedAnswer(clock);
    this.#events = new TokenEvents(scope, clock);
    this.#cacheFallback = new CacheFallback(credential, clock);
    this.#wakeTimer = new WakeTimer(clock, {
      delay: () => this.#schedule.nextWake(...this.time()),
      run: () => this.#wake(),
    });
    try {
      this.#schedule = new (coreModule().Schedule)(policy);
    } catch (error) {
      throw keylessError(error);
    }
  }

  /**
   * Returns the token at once, or when the flight ends. A flight that it starts asks for `claims`.
   */
  request(claims?: string): Promise<AccessToken> {
    const [wall, mono] = this.time();
    return this.#carryOut(this.#schedule.request(wall, mono), wall, mono, claims);
  }

  /** Acquires a new token at once, or joins the flight. Ignores an endpoint's `Retry-After`. */
  refresh(): Promise<AccessToken> {
    const [wall, mono] = this.time();
    const token = this.#carryOut(this.#schedule.refresh(wall, mono), wall, mono);
    // End the pause between two attempts.
    if (this.#flight?.endPause()) this.#attempt(this.#flight);
    return token;
  }

  #carryOut(decision: Decision, wall: number, mono: number, claims?: string): Promise<AccessToken> {
    switch (decision.do) {
      case "use": {
        const token = this.#token as AccessToken;
        this.cachedAnswer.set(token.token, decision.untilWall, decision.untilMono);
        // Last, because a listener or a credential may call back from inside.
        if (decision.start)
          this.#startFlight(decision.start.flight, decision.start.timeoutMs, { background: true });
        const { consecutiveFailures } = this.#schedule.status(wall, mono);
        if (decision.phase === "due" && consecutiveFailures > 0) {
          const expiresOn = token.expiresOnTimestamp;
          this.#events.emit({ type: "stale-served", expiresOn, consecutiveFailures });
        }
        return Promise.resolve(token);
      }
      case "wait": {
        if (decision.start) return this.#startFlight(decision.flight, decision.timeoutMs, { claims }).promise;
        const flight = this.#flight as Flight;
        if (!flight.awaited) {
          flight.awaited = true;
          this.#setDeadline(flight, decision.timeoutMs);
        }
        return flight.promise;
      }
      case "refuse":
        // The schedule has abandoned a flight whose timer has not fired yet.
        if (this.#flight) this.#abandonFlight(this.#flight, this.#flight.timeoutError());
        return Promise.reject(withPause(this.#lastError ?? closedError(), decision.retryAfterMs));
      case "closed":
        return Promise.reject(closedError());
    }
  }

  /** Whether this is the current token. */
  has(token: string): boolean {
    return this.#token?.token === token;
  }

  /** Discards the current token, or does nothing if `rejectedToken` is another one. */
  invalidate(rejectedToken: string | AccessToken | undefined): boolean {
    const current = this.#token;
    const rejected = rejectedToken === undefined ? current?.token : tokenOf(rejectedToken);
    if (current === undefined || withoutBearer(rejected ?? "") !== current.token) return false;
    if (!this.#schedule.invalidate(...this.time())) return false;
    this.#rejectToken(current.token);
    this.#events.emit({ type: "invalidated" });
    return true;
  }

  /**
   * The token of the last `token/rejected-again`, until it expires. Sessions try it once more: the
   * role may have been assigned meanwhile.
   */
  get rejectedTokenFromCache(): string | undefined {
    const rejected = this.#rejectedTokenFromCache;
    return rejected && this.clock.now() < rejected.expiresOnTimestamp ? rejected.token : undefined;
  }

  /**
   * Acquires a token with the claims of a challenge. Callers that are challenged with the same
   * token meanwhile share the acquisition.
   */
  challenge(claims: string, rejectedToken: string | AccessToken | undefined): Promise<AccessToken> {
    const current = this.#token;
    const rejected =
      rejectedToken === undefined ? current?.token : withoutBearer(tokenOf(rejectedToken) ?? "");
    const answered = current ? this.#tokenHasClaims && rejected !== current.token : this.#flight?.claims;
    if (answered) return this.request();
    if (!this.#schedule.challenged(...this.time())) {
      return Promise.reject(current ? challengedAgainError() : (this.#lastError ?? closedError()));
    }
    this.#rejectToken(rejected);
    const token = this.request(claims);
    this.#events.emit({ type: "challenged" });
    return token;
  }

  /** The last failure of the acquisition that callers wait for, with the pause before a next call. */
  get waitingFailure(): KeylessError | undefined {
    const failure = this.#flight?.awaited ? this.#flight.lastFailure : undefined;
    return failure && withPause(failure, Math.max(failure.retryAfterMs ?? 0, NO_PAUSE_MS));
  }

  get status(): TokenStatus {
    const status = this.#schedule.status(...this.time());
    const lastError = this.#lastError && summarize(this.#lastError);
    const defined = Object.entries({ ...status, lastError }).filter(([, value]) => value !== undefined);
    return Object.fromEntries(defined) as unknown as TokenStatus;
  }

  /** Adds a listener. Returns a function that removes it. */
  listen(listener: (event: TokenEvent) => void): () => void {
    return this.#events.listen(listener);
  }

  /** Refreshes the token on a timer until the returned function is called. */
  keepFresh(): () => void {
    return this.#wakeTimer.retain();
  }

  close(): void {
    this.#schedule.close();
    const flight = this.#flight;
    if (flight) this.#endFlight(flight).reject(closedError());
    for (const attempts of this.#unanswered) attempts.cut();
    this.#clearToken();
    this.#rejectedToken = undefined;
    this.#cacheFallback.clear();
    this.#rejectedTokenFromCache = undefined;
    this.#wakeTimer.stop();
    flight?.abort.abort();
    this.#events.emit({ type: "closed" });
  }

  /** What is left of the one wait of callers that have waited for a token so long. */
  waitLeft(waitedMs: number): number {
    const [wall, mono] = this.time();
    return this.#schedule.waitLeft(wall - waitedMs, mono - waitedMs, wall, mono);
  }

  /** How long no token is discarded because of a rejection, or with `claims` of a challenge. */
  renewalLeft(claims: boolean): number {
    return this.#schedule.renewalLeft(claims, ...this.time());
  }

  time(): Time {
    return [this.clock.now(), this.clock.monotonic()];
  }

  #rejectToken(token: string | undefined): void {
    this.#rejectedToken = token;
    if (token !== undefined) this.#cacheFallback.markRejected(token);
    this.#clearToken();
  }

  #clearToken(): void {
    this.#token = undefined;
    this.cachedAnswer.invalidate();
  }

  #startFlight(
    id: number,
    timeoutMs: number,
    { background = false, claims }: { background?: boolean; claims?: string | undefined },
  ): Flight {
    const overdue = this.#flight;
    const awaited = !background || overdue?.awaited === true;
    const flight = new Flight(this.clock, { id, background, awaited, claims });
    this.#flight = flight;
    this.#setDeadline(flight, timeoutMs);
    // The schedule has at most one flight. It has abandoned one that is still here: for a token
    // with claims, or because its deadline passed unnoticed while the machine slept. Callers that
    // wait for that one now wait for the new one.
    if (overdue) {
      const error = claims === undefined ? overdue.timeoutError() : supersededError();
      this.#abandonFlight(overdue, error, flight.promise);
    }
    this.#attempt(flight);
    waitUntil(flight.promise);
    return flight;
  }

  #attempt(flight: Flight): void {
    flight.attemptCount += 1;
    const [requestedWall, requestedMono] = this.time();
    this.#unanswered.add(flight.attempts);
    this.#acquire(flight)
      .finally(() => this.#unanswered.delete(flight.attempts))
      .then((token) => this.#onToken(flight, token, requestedWall, requestedMono))
      .catch((error: unknown) => this.#onFailure(flight, error));
    const { background, attemptCount: attempt } = flight;
    this.#events.emit({ type: "refresh-started", background, attempt });
  }

  #acquire({ abort, attempts, claims }: Flight): Promise<AccessToken> {
    // A caller that passes claims can answer a challenge.
    const claimsOptions = claims === undefined ? {} : { claims, enableCae: true };
    return acquire(this.#credential, {
      attempts,
      scope: this.#scope,
      options: { abortSignal: abort.signal, ...this.#callOptions, ...claimsOptions },
      clock: this.clock,
      cacheFallback: this.#cacheFallback,
      rejectedToken: this.#rejectedToken,
      onTakenOver: (thrown) => {
        const { error } = credentialFailure(thrown, this.clock.now());
        this.#events.emit({ type: "direct-fallback", error: summarize(error) });
      },
      isUnusable: (token) =>
        this.#cacheFallback.isUnusable(token) ||
        (token.token === this.#token?.token && !this.#hasUsableToken()),
    });
  }

  #hasUsableToken(): boolean {
    const { state } = this.#schedule.status(...this.time());
    return state === "fresh" || state === "due";
  }

  /** Whether an acquired token was rejected before and is no better than the current one. */
  #wasRejected({ token }: AccessToken): boolean {
    if (token === this.#rejectedToken) return true;
    return this.#cacheFallback.isRejected(token) && token !== this.#token?.token && this.#hasUsableToken();
  }

  #onToken(flight: Flight, token: AccessToken, requestedWall: number, requestedMono: number): void {
    const [wall, mono] = this.time();
    const random = this.clock.random();
    if (this.#wasRejected(token)) {
      const outcome = this.#schedule.rejectedAgain(flight.id, wall, mono, random);
      // Refuse it only once: after the pause it is used again, since the role may have been
      // assigned.
      if (outcome.result !== "ignored") this.#rejectedToken = undefined;
      if (flight.claims === undefined) this.#rejectedTokenFromCache = token;
      const error = flight.claims === undefined ? rejectedAgainError() : claimsIgnoredError();
      this.#failFlight(flight, outcome, error);
      return;
    }
    const outcome = this.#schedule.acquired(
      flight.id,
      requestedWall,
      requestedMono,
      token.expiresOnTimestamp,
      token.refreshAfterTimestamp,
      wall,
      mono,
      random,
    );
    switch (outcome.result) {
      case "accepted": {
        // The schedule's expiry: the credential may have returned seconds.
        const { expiresOn = token.expiresOnTimestamp } = this.#schedule.status(wall, mono);
        const accepted = { ...token, expiresOnTimestamp: expiresOn };
        this.#clearToken();
        this.#token = accepted;
        this.#rejectedTokenFromCache = undefined;
        this.#tokenHasClaims = flight.claims !== undefined;
        this.#rejectedToken = undefined;
        this.#lastError = undefined;
        this.#endFlight(flight).resolve(accepted);
        this.#flight?.resolveWaiters(accepted);
        const durationMs = mono - flight.startedOn;
        this.#events.emit({ type: "refresh-succeeded", expiresOn, durationMs });
        break;
      }
      case "unchanged":
        this.#endFlight(flight).resolve(this.#token as AccessToken);
        this.#events.emit({ type: "refresh-unchanged", ...this.#nextAttempt() });
        break;
      case "refused":
        this.#cacheFallback.markRefused(token);
        this.#failFlight(flight, outcome, keylessError(outcome.detail) as KeylessError);
        break;
    }
    this.#wakeTimer.reschedule();
  }

  #onFailure(flight: Flight, thrown: unknown): void {
    const [wall, mono] = this.time();
    const failure = flight.attempts.corrected(thrown, wall);
    const { status, unavailable, retryAfterMs } = failure;
    const random = this.clock.random();
    const outcome = this.#schedule.failed(flight.id, status, unavailable, retryAfterMs, wall, mono, random);
    if (outcome.result === "retry") {
      const { afterMs: willRetryInMs } = outcome.detail;
      flight.setRetry(willRetryInMs, failure.error, () => {
        flight.endPause();
        this.#attempt(flight);
      });
      this.#events.emit({ type: "refresh-failed", error: summarize(failure.error), willRetryInMs });
      return;
    }
    this.#failFlight(flight, outcome, failure.error);
  }

  /** Ends a flight without a token, unless it has ended. */
  #failFlight(flight: Flight, outcome: Outcome, error: KeylessError): void {
    if (outcome.result === "ignored") return;
    this.#endFlight(flight);
    this.#lastError = this.#withPause(error);
    flight.reject(this.#lastError);
    this.#wakeTimer.reschedule();
    this.#events.emit({ type: "refresh-failed", error: summarize(error), ...this.#nextAttempt() });
  }

  #setDeadline(flight: Flight, timeoutMs: number): void {
    flight.setDeadline(timeoutMs, () => {
      const error = flight.timeoutError();
      const retryAfterMs = flight.lastFailure?.retryAfterMs;
      this.#schedule.timedOut(flight.id, retryAfterMs, ...this.time(), this.clock.random());
      this.#abandonFlight(flight, this.#withPause(error, NO_PAUSE_MS));
      this.#wakeTimer.reschedule();
    });
  }

  /** Ends a flight and aborts it. Its callers wait for the successor, or are rejected. */
  #abandonFlight(flight: Flight, error: KeylessError, successor?: Promise<AccessToken>): void {
    this.#lastError = error;
    this.#endFlight(flight);
    if (successor) flight.resolve(successor);
    else flight.reject(error);
    flight.attempts.giveUp();
    flight.abort.abort();
    this.#events.emit({ type: "refresh-abandoned", error: summarize(error) });
  }

  #endFlight(flight: Flight): Flight {
    flight.end();
    if (this.#flight === flight) this.#flight = undefined;
    // The cached answer was valid until the end of the flight.
    this.cachedAnswer.invalidate();
    return flight;
  }

  #wake(): void {
    const start = this.#schedule.wake(...this.time());
    if (start) this.#startFlight(start.flight, start.timeoutMs, { background: true });
  }

  #withPause(error: KeylessError, leastMs = 0): KeylessError {
    const { nextAttemptOn = 0 } = this.#nextAttempt();
    return withPause(error, Math.max(nextAttemptOn - this.clock.now(), leastMs));
  }

  #nextAttempt(): { nextAttemptOn?: number } {
    const { nextAttemptOn } = this.#schedule.status(...this.time());
    return nextAttemptOn === undefined ? {} : { nextAttemptOn };
  }
}
