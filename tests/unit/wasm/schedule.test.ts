// Runs the schedule's scenarios through wasm-bindgen, as the token keeper calls it.

import { callCore, coreModule } from "../../../js/wasm/bindings.js";
import { scheduleTable } from "../../support/tables.js";

scheduleTable((policy) => {
  const schedule = callCore(() => new (coreModule().Schedule)(policy));
  return {
    request: ({ wall, mono }) => schedule.request(wall, mono),
    refresh: ({ wall, mono }) => schedule.refresh(wall, mono),
    wake: ({ wall, mono }) => schedule.wake(wall, mono),
    nextWake: ({ wall, mono }) => schedule.nextWake(wall, mono),
    acquired: (flight, { requested, expiresOn, refreshAfter }, { wall, mono }, random) =>
      schedule.acquired(flight, requested.wall, requested.mono, expiresOn, refreshAfter, wall, mono, random),
    failed: (flight, { status, unavailable, retryAfterMs }, { wall, mono }, random) =>
      schedule.failed(flight, status, unavailable, retryAfterMs, wall, mono, random),
    timedOut: (flight, { wall, mono }, random) => schedule.timedOut(flight, undefined, wall, mono, random),
    rejectedAgain: (flight, { wall, mono }, random) => schedule.rejectedAgain(flight, wall, mono, random),
    invalidate: ({ wall, mono }) => schedule.invalidate(wall, mono),
    challenged: ({ wall, mono }) => schedule.challenged(wall, mono),
    close: () => schedule.close(),
    status: ({ wall, mono }) => schedule.status(wall, mono),
  };
});
