import * as workers from "cloudflare:workers";

/** workerd ends what a request began with its answer: a token that is refreshed in the background would never come. */
export function outlive(work: Promise<unknown>): void {
  const done = work.catch(() => {});
  try {
    // Not there before August 2025.
    workers.waitUntil?.(done);
  } catch {
    // No request began it.
  }
}
