import { systemClock } from "./clock.js";

/** The promise's outcome, or after `ms` milliseconds what `late` gives or throws. */
export async function within<T>(promise: Promise<T>, ms: number, late: () => T): Promise<T> {
  let timer: unknown;
  const patience = new Promise<void>((resolve) => {
    timer = systemClock.setTimeout(resolve, ms);
  });
  try {
    return await Promise.race([promise, patience.then(late)]);
  } finally {
    systemClock.clearTimeout(timer);
  }
}
