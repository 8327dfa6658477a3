import type { GetTokenOptions, TokenCredential } from "../credentials/credential.js";
import { credentialFailure, summarize } from "../credentials/failure.js";
import { KeylessError } from "../errors/keyless-error.js";
import type { Clock } from "../platform/clock.js";
import { LONGEST_TIMER_MS, unref } from "../platform/clock.js";
import { waitUntil } from "../platform/wait-until.js";
import { coreModule, keylessError, planModule } from "../wasm/bindings.js";
import type { Decision, Outcome, Schedule } from "../wasm/modules/core.js";
import type { AccessToken, RefreshPolicy, TokenStatus } from "../wasm/token.js";
import { acquire } from "./acquisition.js";
import { PastCache } from "./cache-fallback.js";
import { isObserved, publish } from "./diagnostics.js";
import { challengedAgain, claimsIgnored, closed, rejectedAgain, superseded, timedOut } from "./errors.js";
import { type Flight, landing } from "./flight.js";
import { bare, tokenOf } from "./text.js";
import type { TokenEvent } from "./types.js";

type EventDetails = TokenEvent extends infer E
  ? E extends TokenEvent
    ? Omit<E, "at" | "scope">
    : never
  : never;

/** What the tokens of a keeper have in common. */
interface KeeperOptions {
  policy: Partial<RefreshPolicy>;
  tenantId: string | undefined;
  enableCae: boolean;
}

/**
 * For how long the wall clock alone is asked after both clocks were: reading the other one takes as long as all the rest of a call. A clock
 * that is set back leaves this moment, so that both are asked again, unless it is set back into the moment itself.
 */
const GLANCE_MS = 100;

/**
 * Carries out what the schedule decides, for one credential, scope and tenant. Every provider built for the same three shares
 * one keeper. It owns the effects: the credential's calls, timers, promises, events.
 */
export class TokenKeeper {
  /** While the wall clock is between these, `cached` is the answer to every call. */
  fromWall = Number.POSITIVE_INFINITY;
  toWall = Number.NEGATIVE_INFINITY;
  cached: Promise<string> = Promise.reject(new KeylessError("token/empty", "no token yet"));

  readonly #credential: TokenCredential;
  readonly #scope: string | string[];
  readonly #fixed: Pick<GetTokenOptions, "tenantId" | "enableCae">;
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #listeners = new Set<(event: TokenEvent) => void>();
  /** Until either clock reaches its bound, `cached` need not be asked for. */
  #untilWall = Number.NEGATIVE_INFINITY;
  #untilMono = Number.NEGATIVE_INFINITY;
  #held: AccessToken | undefined;
  /** Whether it was acquired with the claims of a challenge. */
  #heldAnswers = false;
  #rejected: string | undefined;
  readonly #past: PastCache;
  /** The rejected token, which the credential gave again. */
  #again: AccessToken | undefined;
  #flight: Flight | undefined;
  #lastError: KeylessError | undefined;
  #keptFresh = 0;
  #wakeTimer: unknown;

  constructor(
    credential: TokenCredential,
    scope: string | string[],
    clock: Clock,
    { policy, tenantId, enableCae }: KeeperOptions,
  ) {
    this.cached.catch(() => {});
    this.#credential = credential;
    this.#scope = scope;
    this.#fixed = { ...(tenantId === undefined ? {} : { tenantId }), ...(enableCae ? { enableCae } : {}) };
    this.#clock = clock;
    this.#past = new PastCache(credential, clock);
    try {
      this.#schedule = new (coreModule().Schedule)(policy);
    } catch (error) {
      throw keylessError(error);
    }
  }

  /** What is cached, if both clocks still allow it; for the next moment the wall clock alone will do. */
  kept(wall: number): Promise<string> | undefined {
    const left = Math.min(this.#untilWall - wall, this.#untilMono - this.#clock.monotonic());
    if (!(left > 0)) return undefined;
    this.fromWall = wall;
    this.toWall = wall + Math.min(left, GLANCE_MS);
    return this.cached;
  }

  /** The token, now or when the flight lands. A flight that has to be started asks for these claims. */
  request(claims?: string): Promise<AccessToken> {
    const [wall, mono] = this.#time();
    return this.#follow(this.#schedule.request(wall, mono), wall, mono, claims);
  }

  /** A new token at once, from the flight under way if there is one; what an endpoint asked for by `Retry-After` counts for nothing. */
  refresh(): Promise<AccessToken> {
    const [wall, mono] = this.#time();
    const token = this.#follow(this.#schedule.refresh(wall, mono), wall, mono);
    // One that pauses between two attempts pauses no longer.
    if (this.#flight?.retry !== undefined) this.#repeat(this.#flight);
    return token;
  }

  #repeat(flight: Flight): void {
    this.#clock.clearTimeout(flight.retry);
    flight.retry = undefined;
    this.#attempt(flight);
  }

  #follow(decision: Decision, wall: number, mono: number, claims?: string): Promise<AccessToken> {
    switch (decision.do) {
      case "use": {
        const token = this.#held as AccessToken;
        this.cached = Promise.resolve(token.token);
        this.#untilWall = decision.untilWall;
        this.#untilMono = decision.untilMono;
        // Last, because a listener or a credential may call back from inside.
        if (decision.start)
          this.#launch(decision.start.flight, decision.start.timeoutMs, { background: true });
        const { consecutiveFailures } = this.#schedule.status(wall, mono);
        if (decision.phase === "due" && consecutiveFailures > 0) {
          this.#emit({ type: "stale-served", expiresOn: token.expiresOnTimestamp, consecutiveFailures });
        }
        return Promise.resolve(token);
      }
      case "wait": {
        if (decision.start) return this.#launch(decision.flight, decision.timeoutMs, { claims }).promise;
        const flight = this.#flight as Flight;
        if (!flight.awaited) {
          flight.awaited = true;
          this.#setDeadline(flight, decision.timeoutMs);
        }
        return flight.promise;
      }
      case "refuse":
        // The schedule has given up a flight whose timer has not rung yet.
        if (this.#flight) this.#abandon(this.#flight, this.#timedOut(this.#flight));
        return Promise.reject(this.#lastError ?? closed());
      case "closed":
        return Promise.reject(closed());
    }
  }

  invalidate(rejectedToken: string | AccessToken | undefined): boolean {
    const held = this.#held;
    const meant = rejectedToken === undefined || bare(tokenOf(rejectedToken) ?? "") === held?.token;
    if (held === undefined || !meant) return false;
    if (!this.#schedule.invalidate(...this.#time())) return false;
    this.#reject(held.token);
    this.#emit({ type: "invalidated" });
    return true;
  }

  /** The token that `token/rejected-again` was told of, as long as it lives: for who would rather try it once more. */
  get rejectedAgain(): string | undefined {
    const again = this.#again;
    return again && this.#clock.now() < again.expiresOnTimestamp ? again.token : undefined;
  }

  /**
   * A token for a resource that wants one with certain claims. Whoever is challenged with the same token meanwhile waits for
   * the same acquisition.
   */
  challenge(claims: string, rejectedToken: string | AccessToken | undefined): Promise<AccessToken> {
    const held = this.#held;
    const rejected = rejectedToken === undefined ? held?.token : bare(tokenOf(rejectedToken) ?? "");
    const answered = held ? this.#heldAnswers && rejected !== held.token : this.#flight?.claims !== undefined;
    if (answered) return this.request();
    if (!this.#schedule.challenged(...this.#time())) {
      return Promise.reject(held ? challengedAgain() : (this.#lastError ?? closed()));
    }
    this.#reject(rejected);
    const token = this.request(claims);
    this.#emit({ type: "challenged" });
    return token;
  }

  get status(): TokenStatus {
    const status = this.#schedule.status(...this.#time());
    const known = Object.entries(status).filter(([, value]) => value !== undefined);
    return {
      ...(Object.fromEntries(known) as unknown as TokenStatus),
      ...(this.#lastError === undefined ? {} : { lastError: summarize(this.#lastError) }),
    };
  }

  listen(listener: (event: TokenEvent) => void): () => void {
    // One of its own: two providers may share both the keeper and the function.
    const own = (event: TokenEvent) => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Keeps the token fresh on a timer until the returned function is called. */
  keepFresh(): () => void {
    this.#keptFresh += 1;
    this.#armWake();
    return () => {
      this.#keptFresh -= 1;
      this.#armWake();
    };
  }

  close(): void {
    this.#schedule.close();
    const flight = this.#flight;
    if (flight) this.#end(flight).reject(closed());
    this.#drop();
    this.#rejected = undefined;
    this.#past.forget();
    this.#again = undefined;
    this.#keptFresh = 0;
    this.#armWake();
    flight?.abort.abort();
    this.#emit({ type: "closed" });
  }

  #time(): [wall: number, mono: number] {
    return [this.#clock.now(), this.#clock.monotonic()];
  }

  #reject(token: string | undefined): void {
    this.#rejected = token;
    if (token !== undefined) this.#past.spend(token);
    this.#drop();
  }

  #drop(): void {
    this.#held = undefined;
    this.#askAgain();
  }

  /** The next call is not answered from what is cached. */
  #askAgain(): void {
    this.toWall = Number.NEGATIVE_INFINITY;
    this.#untilWall = Number.NEGATIVE_INFINITY;
  }

  #launch(
    id: number,
    timeoutMs: number,
    { background = false, claims }: { background?: boolean; claims?: string | undefined },
  ): Flight {
    const overdue = this.#flight;
    const flight: Flight = {
      id,
      ...landing(),
      abort: new AbortController(),
      background,
      claims,
      startedOn: this.#clock.monotonic(),
      awaited: !background || overdue?.awaited === true,
      attempts: 0,
    };
    this.#flight = flight;
    this.#setDeadline(flight, timeoutMs);
    // The schedule has one flight at most; one that is still here was given up: for a token with claims, or because nobody
    // looked at its deadline, as on a machine that slept. Those who wait for it wait for this one now.
    if (overdue)
      this.#abandon(overdue, claims === undefined ? this.#timedOut(overdue) : superseded(), flight.promise);
    this.#attempt(flight);
    waitUntil(flight.promise);
    return flight;
  }

  #attempt(flight: Flight): void {
    flight.attempts += 1;
    const [requestedWall, requestedMono] = this.#time();
    this.#ask(flight)
      .then((token) => this.#landed(flight, token, requestedWall, requestedMono))
      .catch((error: unknown) => this.#failed(flight, error));
    this.#emit({ type: "refresh-started", background: flight.background, attempt: flight.attempts });
  }

  #ask({ abort, claims }: Flight): Promise<AccessToken> {
    // Who asks for claims can take a challenge.
    const wanted = claims === undefined ? {} : { claims, enableCae: true };
    return acquire(this.#credential, {
      scope: this.#scope,
      options: { abortSignal: abort.signal, ...this.#fixed, ...wanted },
      clock: this.#clock,
      past: this.#past,
      isUseless: (token) => this.#past.isSpent(token) || (token === this.#held?.token && !this.#holdsGood()),
    });
  }

  #holdsGood(): boolean {
    const { state } = this.#schedule.status(...this.#time());
    return state === "fresh" || state === "due";
  }

  /** Whether a token was rejected and is no better than what is held. */
  #isNoBetter({ token }: AccessToken): boolean {
    if (token === this.#rejected) return true;
    return this.#past.isSpent(token) && token !== this.#held?.token && this.#holdsGood();
  }

  #landed(flight: Flight, token: AccessToken, requestedWall: number, requestedMono: number): void {
    const [wall, mono] = this.#time();
    const random = this.#clock.random();
    if (this.#isNoBetter(token)) {
      const outcome = this.#schedule.rejectedAgain(flight.id, wall, mono, random);
      // Once is enough: after the pause it is handed out again, since the role may have been given meanwhile.
      if (outcome.result !== "ignored") this.#rejected = undefined;
      if (flight.claims === undefined) this.#again = token;
      this.#finish(flight, outcome, flight.claims === undefined ? rejectedAgain() : claimsIgnored());
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
        // The schedule's own: the credential may have given seconds.
        const { expiresOn = token.expiresOnTimestamp } = this.#schedule.status(wall, mono);
        const held = { ...token, expiresOnTimestamp: expiresOn };
        this.#drop();
        this.#held = held;
        this.#again = undefined;
        this.#heldAnswers = flight.claims !== undefined;
        this.#rejected = undefined;
        this.#lastError = undefined;
        this.#end(flight).resolve(held);
        if (this.#flight) this.#relieve(this.#flight, held);
        this.#emit({ type: "refresh-succeeded", expiresOn, durationMs: mono - flight.startedOn });
        break;
      }
      case "unchanged":
        this.#end(flight).resolve(this.#held as AccessToken);
        this.#emit({ type: "refresh-unchanged", ...this.#nextAttempt() });
        break;
      case "refused":
        this.#past.spend(token.token);
        this.#finish(flight, outcome, keylessError(outcome.detail) as KeylessError);
        break;
    }
    this.#armWake();
  }

  /** A late answer also serves those who wait for the flight that came after. Whoever joins that one from now on waits anew. */
  #relieve(flight: Flight, token: AccessToken): void {
    flight.resolve(token);
    Object.assign(flight, landing());
    flight.awaited = false;
    unref(flight.deadline);
    unref(flight.retry);
  }

  #failed(flight: Flight, thrown: unknown): void {
    const failure = credentialFailure(thrown, planModule(), this.#clock.now());
    const [wall, mono] = this.#time();
    const { status, unavailable, retryAfterMs } = failure;
    const random = this.#clock.random();
    const outcome = this.#schedule.failed(flight.id, status, unavailable, retryAfterMs, wall, mono, random);
    if (outcome.result === "retry") {
      const willRetryInMs = outcome.detail.afterMs;
      flight.failure = failure.error;
      flight.retry = this.#after(willRetryInMs, () => this.#repeat(flight));
      this.#emit({ type: "refresh-failed", error: summarize(failure.error), willRetryInMs });
      return;
    }
    this.#finish(flight, outcome, failure.error);
  }

  /** The flight has ended without a token, unless it had ended before. */
  #finish(flight: Flight, outcome: Outcome, error: KeylessError): void {
    if (outcome.result === "ignored") return;
    this.#lastError = error;
    this.#end(flight).reject(error);
    this.#armWake();
    this.#emit({ type: "refresh-failed", error: summarize(error), ...this.#nextAttempt() });
  }

  #setDeadline(flight: Flight, timeoutMs: number): void {
    this.#clock.clearTimeout(flight.deadline);
    flight.deadline = this.#after(timeoutMs, () => {
      this.#schedule.timedOut(flight.id, ...this.#time(), this.#clock.random());
      this.#abandon(flight, this.#timedOut(flight));
      this.#armWake();
    });
    if (!flight.awaited) unref(flight.deadline);
  }

  #timedOut(flight: Flight): KeylessError {
    return timedOut(this.#clock.monotonic() - flight.startedOn, flight.failure);
  }

  #abandon(flight: Flight, error: KeylessError, successor?: Promise<AccessToken>): void {
    this.#lastError = error;
    this.#end(flight);
    if (successor) flight.resolve(successor);
    else flight.reject(error);
    flight.abort.abort();
    this.#emit({ type: "refresh-abandoned", error: summarize(error) });
  }

  #end(flight: Flight): Flight {
    this.#clock.clearTimeout(flight.deadline);
    this.#clock.clearTimeout(flight.retry);
    if (this.#flight === flight) this.#flight = undefined;
    // The bound of what is cached was the flight's end.
    this.#askAgain();
    return flight;
  }

  #armWake(): void {
    this.#clock.clearTimeout(this.#wakeTimer);
    this.#wakeTimer = undefined;
    if (this.#keptFresh === 0) return;
    const wait = this.#schedule.nextWake(...this.#time());
    if (wait === undefined) return;
    this.#wakeTimer = this.#after(wait, () => {
      const start = this.#schedule.wake(...this.#time());
      if (start) this.#launch(start.flight, start.timeoutMs, { background: true });
      this.#armWake();
    });
    unref(this.#wakeTimer);
  }

  /** A wait that is too long for a timer is cut; what is woken early finds nothing to do, or gives up after 24 days. */
  #after(ms: number, callback: () => void): unknown {
    return this.#clock.setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
  }

  #nextAttempt(): { nextAttemptOn?: number } {
    const { nextAttemptOn } = this.#schedule.status(...this.#time());
    return nextAttemptOn === undefined ? {} : { nextAttemptOn };
  }

  #emit(details: EventDetails): void {
    if (this.#listeners.size === 0 && !isObserved()) return;
    const scope = typeof this.#scope === "string" ? this.#scope : this.#scope.join(" ");
    const event = Object.freeze({ at: this.#clock.now(), scope, ...details }) as TokenEvent;
    publish(event);
    for (const listener of [...this.#listeners]) {
      // A listener's fault is not the token's, whether it throws or its promise is rejected.
      (async () => listener(event))().catch(() => {});
    }
  }
}
