import { KeylessError } from "../errors/keyless-error.js";
import type { Clock } from "../platform/clock.js";

/**
 * How long the wall clock alone is read after both clocks were: reading the monotonic clock takes
 * as long as the rest of a call. A wall clock that is set back leaves this window, so both clocks
 * are read again, unless it is set back into the window itself.
 */
const WALL_CLOCK_ONLY_MS = 100;

/** The promise that answers calls without a decision of the schedule, and how long it may. */
export class CachedAnswer {
  /** While the wall clock is between these two, `promise` answers every call. */
  fromWall = Number.POSITIVE_INFINITY;
  toWall = Number.NEGATIVE_INFINITY;
  promise: Promise<string> = Promise.reject(new KeylessError("token/empty", "no token yet"));
  readonly #clock: Clock;
  /** The answer is valid until either clock reaches its bound. */
  #untilWall = Number.NEGATIVE_INFINITY;
  #untilMono = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.promise.catch(() => {});
  }

  set(token: string, untilWall: number, untilMono: number): void {
    this.promise = Promise.resolve(token);
    this.#untilWall = untilWall;
    this.#untilMono = untilMono;
  }

  /**
   * Returns the answer if both clocks still allow it. For the next moment `fromWall` and `toWall`
   * then suffice.
   */
  get(wall: number): Promise<string> | undefined {
    const left = Math.min(this.#untilWall - wall, this.#untilMono - this.#clock.monotonic());
    if (!(left > 0)) return undefined;
    this.fromWall = wall;
    this.toWall = wall + Math.min(left, WALL_CLOCK_ONLY_MS);
    return this.promise;
  }

  /** Makes the next call ask the schedule. */
  invalidate(): void {
    this.toWall = Number.NEGATIVE_INFINITY;
    this.#untilWall = Number.NEGATIVE_INFINITY;
  }
}
