/**
 * Supplies time and randomness. The default is the platform's; tests pass their own.
 *
 * A handle that `setTimeout` returns may have `ref` and `unref`, like Node's.
 */
export interface Clock {
  /** Epoch milliseconds; may jump. */
  now(): number;
  /** Milliseconds since a fixed point; never runs backwards. */
  monotonic(): number;
  /** Uniform in 0..1. */
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/**
 * The platform's clocks and timers. The only place in this package that reads the time or draws a
 * random number. Each function is looked up at the call, because test runners replace them.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

/** The longest delay of Node's timers. A longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Sets a timer, and cuts a delay that is too long for Node's timers: the callback then runs after 24
 * days.
 */
export function setBoundedTimeout(clock: Clock, ms: number, callback: () => void): unknown {
  return clock.setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
}

/** Lets the process exit while the timer runs. Only Node's timers keep a process alive. */
export function unref(handle: unknown): void {
  (handle as { unref?: () => void } | undefined)?.unref?.();
}

const clocksWithFallback = new WeakMap<Clock, Clock>();

/**
 * Wraps a caller's clock: where one of its functions throws, or returns no finite number, the
 * system clock is used. Returns the same wrapper for the same clock.
 */
export function withSystemFallback(clock: Clock): Clock {
  if (clock === systemClock) return clock;
  const existing = clocksWithFallback.get(clock);
  if (existing) return existing;
  const read = (name: "now" | "monotonic" | "random") => () => {
    try {
      const value = clock[name]();
      if (Number.isFinite(value)) return value;
    } catch {
      // Fall back, as for a value that is no number.
    }
    return systemClock[name]();
  };
  /** The system's timers by the handles that were returned for them. */
  const systemTimers = new WeakMap<object, unknown>();
  const wrapper: Clock = {
    now: read("now"),
    monotonic: read("monotonic"),
    random: read("random"),
    setTimeout: (callback, ms) => {
      try {
        return clock.setTimeout(callback, ms);
      } catch {
        const timer = systemClock.setTimeout(callback, ms);
        const handle = { unref: () => unref(timer) };
        systemTimers.set(handle, timer);
        return handle;
      }
    },
    clearTimeout: (handle) => {
      const timer = systemTimers.get(handle as object);
      if (timer !== undefined) return systemClock.clearTimeout(timer);
      try {
        clock.clearTimeout(handle);
      } catch {
        // The timer fires; its callback finds nothing left to do.
      }
    },
  };
  clocksWithFallback.set(clock, wrapper);
  return wrapper;
}
