import type { Clock } from "copilot-keyless";

/** When a fake clock starts: 2023-11-14T22:13:20Z. */
export const START = 1_700_000_000_000;

interface Timer {
  at: number;
  callback: () => void;
  ms: number;
  held: boolean;
  unref(): void;
}

/** A clock that stands still until it is told to move. Timers run by the monotonic clock, as the platform's do. */
export class FakeClock implements Clock {
  wall = START;
  mono = 5_000;
  chance = 0;
  readonly timers = new Set<Timer>();

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.mono;
  }

  random(): number {
    return this.chance;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    if (!(ms >= 0 && ms <= 2 ** 31 - 1)) throw new Error(`Node fires a timer of ${ms} ms at once`);
    const timer = {
      at: this.mono + ms,
      callback,
      ms,
      held: true,
      unref: () => {
        timer.held = false;
      },
    };
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.timers.delete(timer as Timer);
  }

  /** The timers that keep the process alive. */
  get holding(): number {
    return [...this.timers].filter((timer) => timer.held).length;
  }

  /** Moves both clocks; what is due on the way runs in its order, each at its time. */
  async advance(ms: number): Promise<void> {
    await settle();
    const end = this.mono + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#moveTo(Math.max(this.mono, next.at));
      this.timers.delete(next);
      next.callback();
      await settle();
    }
    this.#moveTo(end);
  }

  /** The machine sleeps: the wall clock goes on, the monotonic one stands still, no timer runs. */
  suspend(ms: number): void {
    this.wall += ms;
  }

  /** Somebody sets the wall clock. */
  set(by: number): void {
    this.wall += by;
  }

  #next(end: number): Timer | undefined {
    const due = [...this.timers].filter((timer) => timer.at <= end);
    return due.toSorted((one, other) => one.at - other.at)[0];
  }

  #moveTo(mono: number): void {
    this.wall += mono - this.mono;
    this.mono = mono;
  }
}

/** Lets everything run that only waits for promises. */
export async function settle(): Promise<void> {
  // Browsers have no setImmediate.
  const soon = globalThis.setImmediate ?? setTimeout;
  for (let round = 0; round < 3; round += 1) await new Promise<void>((resolve) => soon(resolve));
}
