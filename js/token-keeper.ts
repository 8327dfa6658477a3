import { core, keylessError } from "./bindings.js";
import { unref } from "./clock.js";
import { credentialFailure, summarize } from "./credential-error.js";
import { KeylessError } from "./errors.js";
import { bare, cleanToken } from "./token-text.js";
import type {
  AccessToken,
  Clock,
  TokenCredential,
  TokenEvent,
  TokenProviderOptions,
  TokenStatus,
} from "./types.js";
import type { Outcome, Schedule } from "./wasm/core.js";

type EventDetails = TokenEvent extends infer E
  ? E extends TokenEvent
    ? Omit<E, "at" | "scope">
    : never
  : never;

/** An acquisition under way, for as many callers as wait for it. */
interface Flight {
  readonly id: number;
  readonly promise: Promise<AccessToken>;
  readonly resolve: (token: AccessToken) => void;
  readonly reject: (error: KeylessError) => void;
  readonly abort: AbortController;
  readonly background: boolean;
  readonly startedOn: number;
  /** Whether callers wait for what began in the background. */
  joined: boolean;
  deadline?: unknown;
  retry?: unknown;
  attempts: number;
}

/**
 * Carries out what the schedule decides, for one credential, scope and tenant. Every provider built for the same three shares
 * one keeper. It owns the effects: the credential's calls, timers, promises, events.
 */
export class TokenKeeper {
  /** Until either clock reaches its bound, `cached` is the answer to every call. */
  untilWall = Number.NEGATIVE_INFINITY;
  untilMono = Number.NEGATIVE_INFINITY;
  cached: Promise<string> = Promise.reject(new KeylessError("token/empty", "no token yet"));

  readonly #credential: TokenCredential;
  readonly #scope: string | string[];
  readonly #tenantId: string | undefined;
  readonly #clock: Clock;
  readonly #schedule: Schedule;
  readonly #listeners = new Set<(event: TokenEvent) => void>();
  #held: AccessToken | undefined;
  #rejected: string | undefined;
  #flight: Flight | undefined;
  #lastError: KeylessError | undefined;
  #keptFresh = 0;
  #wakeTimer: unknown;

  constructor(
    credential: TokenCredential,
    scope: string | string[],
    clock: Clock,
    options: Pick<TokenProviderOptions, "policy" | "tenantId">,
  ) {
    this.cached.catch(() => {});
    this.#credential = credential;
    this.#scope = scope;
    this.#tenantId = options.tenantId;
    this.#clock = clock;
    try {
      this.#schedule = new (core().Schedule)(options.policy ?? {});
    } catch (error) {
      throw keylessError(error);
    }
  }

  /** The token, now or when the flight lands. */
  request(): Promise<AccessToken> {
    const [wall, mono] = this.#time();
    const decision = this.#schedule.request(wall, mono);
    switch (decision.do) {
      case "use": {
        if (decision.start) this.#launch(decision.start.flight, decision.start.timeoutMs, true);
        const token = this.#held as AccessToken;
        this.cached = Promise.resolve(token.token);
        this.untilWall = decision.untilWall;
        this.untilMono = decision.untilMono;
        const { consecutiveFailures } = this.#schedule.status(wall, mono);
        if (decision.phase === "due" && consecutiveFailures > 0) {
          this.#emit({ type: "stale-served", expiresOn: token.expiresOnTimestamp, consecutiveFailures });
        }
        return Promise.resolve(token);
      }
      case "wait": {
        if (decision.start) return this.#launch(decision.flight, decision.timeoutMs, false).promise;
        const flight = this.#flight as Flight;
        if (flight.background && !flight.joined) {
          flight.joined = true;
          this.#setDeadline(flight, decision.timeoutMs, true);
        }
        return flight.promise;
      }
      case "refuse":
        return Promise.reject(this.#lastError ?? closed());
      case "closed":
        return Promise.reject(closed());
    }
  }

  invalidate(rejectedToken: string | undefined): boolean {
    const held = this.#held;
    if (held === undefined || (rejectedToken !== undefined && bare(rejectedToken) !== held.token))
      return false;
    if (!this.#schedule.invalidate(...this.#time())) return false;
    this.#rejected = held.token;
    this.#drop();
    this.#emit({ type: "invalidated" });
    return true;
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
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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
    if (flight) {
      this.#end(flight).reject(closed());
      flight.abort.abort();
    }
    this.#drop();
    this.#rejected = undefined;
    this.#keptFresh = 0;
    this.#armWake();
    this.#emit({ type: "closed" });
  }

  #time(): [wall: number, mono: number] {
    return [this.#clock.now(), this.#clock.monotonic()];
  }

  #drop(): void {
    this.#held = undefined;
    this.untilWall = Number.NEGATIVE_INFINITY;
    this.untilMono = Number.NEGATIVE_INFINITY;
  }

  #launch(id: number, timeoutMs: number, background: boolean): Flight {
    // The schedule has one flight at most; one that is still here was given up because nobody looked at its deadline.
    if (this.#flight) this.#abandon(this.#flight);
    let resolve!: (token: AccessToken) => void;
    let reject!: (error: KeylessError) => void;
    const promise = new Promise<AccessToken>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    // Nobody may be waiting; a failure is in the status and the events all the same.
    promise.catch(() => {});
    const startedOn = this.#clock.now();
    const abort = new AbortController();
    const flight: Flight = {
      id,
      promise,
      resolve,
      reject,
      abort,
      background,
      startedOn,
      joined: false,
      attempts: 0,
    };
    this.#flight = flight;
    // Where callers wait, the process must live until the deadline tells them.
    this.#setDeadline(flight, timeoutMs, !background);
    void this.#attempt(flight);
    return flight;
  }

  async #attempt(flight: Flight): Promise<void> {
    flight.attempts += 1;
    this.#emit({ type: "refresh-started", background: flight.background, attempt: flight.attempts });
    const [requestedWall, requestedMono] = this.#time();
    try {
      const tenant = this.#tenantId === undefined ? {} : { tenantId: this.#tenantId };
      const given = await this.#credential.getToken(this.#scope, {
        abortSignal: flight.abort.signal,
        ...tenant,
      });
      const token = cleanToken(given);
      this.#landed(flight, token, requestedWall, requestedMono);
    } catch (error) {
      this.#failed(flight, error);
    }
  }

  #landed(flight: Flight, token: AccessToken, requestedWall: number, requestedMono: number): void {
    const [wall, mono] = this.#time();
    const random = this.#clock.random();
    if (token.token === this.#rejected) {
      this.#rejected = undefined;
      const outcome = this.#schedule.rejectedAgain(flight.id, wall, mono, random);
      this.#finish(flight, outcome, rejectedAgain());
      return;
    }
    const outcome = this.#schedule.acquired(
      flight.id,
      requestedWall,
      requestedMono,
      token.expiresOnTimestamp,
      token.refreshAfterTimestamp ?? undefined,
      wall,
      mono,
      random,
    );
    switch (outcome.result) {
      case "accepted":
        this.#drop();
        this.#held = token;
        this.#rejected = undefined;
        this.#lastError = undefined;
        this.#emit({
          type: "refresh-succeeded",
          expiresOn: token.expiresOnTimestamp,
          durationMs: wall - flight.startedOn,
        });
        // A late answer also serves those who wait for the flight that came after.
        this.#flight?.resolve(token);
        this.#end(flight).resolve(token);
        break;
      case "unchanged":
        this.#emit({ type: "refresh-unchanged", ...this.#nextAttempt() });
        this.#end(flight).resolve(this.#held as AccessToken);
        break;
      case "refused":
        this.#finish(flight, outcome, keylessError(outcome.detail) as KeylessError);
        break;
    }
    this.#armWake();
  }

  #failed(flight: Flight, thrown: unknown): void {
    const failure = credentialFailure(thrown);
    const [wall, mono] = this.#time();
    const { status, unavailable, retryAfterMs } = failure;
    const random = this.#clock.random();
    const outcome = this.#schedule.failed(flight.id, status, unavailable, retryAfterMs, wall, mono, random);
    if (outcome.result === "retry") {
      const willRetryInMs = outcome.detail.afterMs;
      this.#emit({ type: "refresh-failed", error: summarize(failure.error), willRetryInMs });
      flight.retry = this.#clock.setTimeout(() => void this.#attempt(flight), willRetryInMs);
      return;
    }
    this.#finish(flight, outcome, failure.error);
  }

  /** The flight has ended without a token, unless it had ended before. */
  #finish(flight: Flight, outcome: Outcome, error: KeylessError): void {
    if (outcome.result === "ignored") return;
    this.#lastError = error;
    this.#emit({ type: "refresh-failed", error: summarize(error), ...this.#nextAttempt() });
    this.#end(flight).reject(error);
    this.#armWake();
  }

  #setDeadline(flight: Flight, timeoutMs: number, holdsProcess: boolean): void {
    this.#clock.clearTimeout(flight.deadline);
    flight.deadline = this.#clock.setTimeout(() => {
      this.#schedule.timedOut(flight.id, ...this.#time(), this.#clock.random());
      this.#abandon(flight);
      this.#armWake();
    }, timeoutMs);
    if (!holdsProcess) unref(flight.deadline);
  }

  #abandon(flight: Flight): void {
    const error = timedOut(this.#clock.now() - flight.startedOn);
    this.#lastError = error;
    this.#emit({ type: "refresh-abandoned", error: summarize(error) });
    this.#end(flight).reject(error);
    flight.abort.abort();
  }

  #end(flight: Flight): Flight {
    this.#clock.clearTimeout(flight.deadline);
    this.#clock.clearTimeout(flight.retry);
    if (this.#flight === flight) this.#flight = undefined;
    // The bound of what is cached was the flight's end.
    this.untilMono = Number.NEGATIVE_INFINITY;
    return flight;
  }

  #armWake(): void {
    this.#clock.clearTimeout(this.#wakeTimer);
    this.#wakeTimer = undefined;
    if (this.#keptFresh === 0) return;
    const wait = this.#schedule.nextWake(...this.#time());
    if (wait === undefined) return;
    // Longer timers overflow in Node; waking early finds nothing to do and asks again.
    this.#wakeTimer = this.#clock.setTimeout(
      () => {
        const start = this.#schedule.wake(...this.#time());
        if (start) this.#launch(start.flight, start.timeoutMs, true);
        this.#armWake();
      },
      Math.min(wait, 2 ** 31 - 1),
    );
    unref(this.#wakeTimer);
  }

  #nextAttempt(): { nextAttemptOn?: number } {
    const { nextAttemptOn } = this.#schedule.status(...this.#time());
    return nextAttemptOn === undefined ? {} : { nextAttemptOn };
  }

  #emit(details: EventDetails): void {
    if (this.#listeners.size === 0) return;
    const scope = typeof this.#scope === "string" ? this.#scope : this.#scope.join(" ");
    const event = Object.freeze({ at: this.#clock.now(), scope, ...details }) as TokenEvent;
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // A listener's fault is not the token's.
      }
    }
  }
}

export function closed(): KeylessError {
  return new KeylessError("token/closed", "The token provider is closed", {
    hint: "Create a new one; close() is for the end of the program.",
  });
}

function timedOut(afterMs: number): KeylessError {
  return new KeylessError(
    "token/timeout",
    `The credential gave no answer within ${Math.max(1, Math.round(afterMs / 1000))} s`,
    {
      hint: "Outside Azure there is no managed identity to answer: run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure look at the host's identity service.",
    },
  );
}

function rejectedAgain(): KeylessError {
  return new KeylessError(
    "token/rejected-again",
    "The credential gave the very token that the resource has just rejected",
    {
      hint: "Its age is not what is wrong: check its audience (the scope) and the role of its principal on the resource.",
    },
  );
}
