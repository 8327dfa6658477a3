import { finite, readOptions } from "../errors/check.js";
import type { Clock } from "../platform/clock.js";

/** When a fake clock starts by default: 2023-11-14T22:13:20Z. */
export const START = 1_700_000_000_000;

/** The longest delay that Node's timers accept, in milliseconds. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** A timer of a {@link FakeClock}. */
export interface FakeTimer {
  /** When it fires, on the monotonic clock. */
  readonly at: number;
  /** The delay that it was set with, in milliseconds. */
  readonly ms: number;
  readonly callback: () => void;
  /** Whether it keeps the process alive: false after `unref`. */
  readonly keepsAlive: boolean;
  unref(): void;
}

/**
 * A clock that stands still until it is moved. Timers run on the monotonic clock, as those of the
 * platform do. Pass it to {@link withClock}, or as `clock` to `startEmulator`.
 *
 * @example
 * ```ts
 * const clock = new FakeClock();
 * const tokens = createBearerTokenProvider(credential, scope, withClock(clock));
 * const first = await tokens();
 * await clock.advance(3_600_000);
 * const second = await tokens(); // an hour later: another token
 * ```
 */
export class FakeClock implements Clock {
  /** The wall clock, in epoch milliseconds. */
  wallMs: number;
  /** The monotonic clock, in milliseconds. */
  monotonicMs = 5_000;
  /** The value that `random` returns, from 0 to 1. */
  randomValue = 0;
  /** The timers that have not fired. */
  readonly timers = new Set<FakeTimer>();

  /**
   * @param options `now`: the start of the wall clock, in epoch milliseconds. Default:
   * 2023-11-14T22:13:20Z
   * @throws KeylessError `policy/invalid`
   */
  constructor(options: { now?: number | undefined } = {}) {
    const { now = START } = readOptions(options, { now: finite }, "policy/invalid");
    this.wallMs = now;
  }

  /** How many timers keep the process alive. */
  get activeTimers(): number {
    return [...this.timers].filter((timer) => timer.keepsAlive).length;
  }

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  random(): number {
    return this.randomValue;
  }

  /** @throws RangeError for a delay that Node would turn into 1 ms */
  setTimeout(callback: () => void, ms: number): FakeTimer {
    if (!(ms >= 0 && ms <= LONGEST_DELAY_MS)) throw new RangeError(`Node fires a timer of ${ms} ms at once`);
    const timer = {
      at: this.monotonicMs + ms,
      ms,
      callback,
      keepsAlive: true,
      unref: () => {
        timer.keepsAlive = false;
      },
    };
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.timers.delete(timer as FakeTimer);
  }

  /** Moves both clocks forward. Timers that are due fire in order, each at its time. */
  async advance(ms: number): Promise<void> {
    await settle();
    const end = this.monotonicMs + ms;
    for (let next = this.#nextTimer(end); next !== undefined; next = this.#nextTimer(end)) {
      this.#moveTo(Math.max(this.monotonicMs, next.at));
      this.timers.delete(next);
      next.callback();
      await settle();
    }
    this.#moveTo(end);
  }

  /**
   * Simulates a machine that sleeps: the wall clock moves on, the monotonic clock stands still, no
   * timer fires.
   */
  suspend(ms: number): void {
    this.wallMs += ms;
  }

  /** Simulates a wall clock that is set: forward, or back with a negative number. */
  set(byMs: number): void {
    this.wallMs += byMs;
  }

  #nextTimer(end: number): FakeTimer | undefined {
    const due = [...this.timers].filter((timer) => timer.at <= end);
    return due.sort((one, other) => one.at - other.at)[0];
  }

  #moveTo(monotonicMs: number): void {
    this.wallMs += monotonicMs - this.monotonicMs;
    this.monotonicMs = monotonicMs;
  }
}

/** Lets everything run that only waits for promises. */
export async function settle(): Promise<void> {
  // Browsers have no setImmediate.
  const soon = globalThis.setImmediate ?? setTimeout;
  for (let round = 0; round < 3; round += 1) await new Promise<void>((resolve) => soon(resolve));
}
