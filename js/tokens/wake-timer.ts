import type { Clock } from "../platform/clock.js";
import { setBoundedTimeout, unref } from "../platform/clock.js";

/** The actions of a {@link WakeTimer}. */
interface Wake {
  /** Returns the time until the next wake, in milliseconds, or undefined if there is none. */
  delay: () => number | undefined;
  run: () => void;
}

/** Wakes the refresh schedule on a timer while a provider keeps its token fresh. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #wake: Wake;
  #users = 0;
  #timer: unknown;

  constructor(clock: Clock, wake: Wake) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Keeps the timer running until the returned function is called. */
  retain(): () => void {
    this.#users += 1;
    this.reschedule();
    return () => {
      this.#users -= 1;
      this.reschedule();
    };
  }

  /** Sets the timer again. To be called when the schedule has changed. */
  reschedule(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#users <= 0) return;
    const delay = this.#wake.delay();
    if (delay === undefined) return;
    this.#timer = setBoundedTimeout(this.#clock, delay, () => {
      this.#wake.run();
      this.reschedule();
    });
    unref(this.#timer);
  }

  /** Stops the timer for all users. */
  stop(): void {
    this.#users = 0;
    this.reschedule();
  }
}
