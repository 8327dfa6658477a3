import { systemClock } from "./clock.js";

/**
 * Settles as the promise does, or after `ms` milliseconds with what `onTimeout` returns or throws.
 */
export async function withDeadline<T>(promise: Promise<T>, ms: number, onTimeout: () => T): Promise<T> {
  let timer: unknown;
  const timeout = new Promise<void>((resolve) => {
    timer = systemClock.setTimeout(resolve, ms);
  });
  try {
    return await Promise.race([promise, timeout.then(onTimeout)]);
  } finally {
    systemClock.clearTimeout(timer);
  }
}
