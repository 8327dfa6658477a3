import type { Clock } from "./types.js";

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
