/**
 * Where time and chance come from. The default is the platform's; tests give their own.
 * A handle that `setTimeout` returns may have `ref` and `unref`, as Node's has.
 */
export interface Clock {
  /** Epoch milliseconds; may jump. */
  now(): number;
  /** Milliseconds since some fixed point; never runs backwards. */
  monotonic(): number;
  /** Uniform in 0..1. */
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/**
 * The platform's clocks and timers. The only place in this package that asks for the time or for chance. Each is looked up
 * when called: test runners replace them.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

/** The longest that Node's timers can wait; a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Lets the process end although the timer is running. Other platforms' timers never hold anything up. */
export function unref(handle: unknown): void {
  (handle as { unref?: () => void } | undefined)?.unref?.();
}

const steadied = new WeakMap<Clock, Clock>();

/** A clock of the program's own. Where a function of it throws or gives no number, the platform's stands in. */
export function steady(clock: Clock): Clock {
  if (clock === systemClock) return clock;
  const known = steadied.get(clock);
  if (known) return known;
  const read = (name: "now" | "monotonic" | "random") => () => {
    try {
      const value = clock[name]();
      if (Number.isFinite(value)) return value;
    } catch {
      // As if it gave no number.
    }
    return systemClock[name]();
  };
  /** Timers that the platform set in the place of the clock. */
  const own = new WeakMap<object, unknown>();
  const made: Clock = {
    now: read("now"),
    monotonic: read("monotonic"),
    random: read("random"),
    setTimeout: (callback, ms) => {
      try {
        return clock.setTimeout(callback, ms);
      } catch {
        const timer = systemClock.setTimeout(callback, ms);
        const handle = { unref: () => unref(timer) };
        own.set(handle, timer);
        return handle;
      }
    },
    clearTimeout: (handle) => {
      const timer = own.get(handle as object);
      if (timer !== undefined) return systemClock.clearTimeout(timer);
      try {
        clock.clearTimeout(handle);
      } catch {
        // The timer fires, and finds nothing left to do.
      }
    },
  };
  steadied.set(clock, made);
  return made;
}
