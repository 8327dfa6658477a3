import * as workers from "cloudflare:workers";

/**
 * Keeps a request's background work alive after its response. workerd cancels it otherwise, and a
 * token that is refreshed in the background would never arrive.
 */
export function waitUntil(work: Promise<unknown>): void {
  const done = work.catch(() => {});
  try {
    // Missing before August 2025.
    workers.waitUntil?.(done);
  } catch {
    // Called outside a request.
  }
}
