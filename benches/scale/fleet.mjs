// Simulates the load of many instances on the identity endpoint, with this package and with the
// fixed refresh window of getBearerTokenProvider.

import { simulateRefresh } from "copilot-keyless/core";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const INSTANCES = [10, 100, 1_000, 10_000, 100_000];

/**
 * When a token is refreshed, from its start: a token of 24 h at half its lifetime, one of an hour
 * five minutes before it expires.
 */
const DUE = {
  keyless: { [24 * HOUR]: 12 * HOUR, [HOUR]: 55 * MINUTE },
  "fixed-window": { [24 * HOUR]: 24 * HOUR - 2 * MINUTE, [HOUR]: 58 * MINUTE },
};

/**
 * Simulates the first refresh of instances that start within a second and call every second;
 * returns the busiest second.
 */
export function refreshRows() {
  return [24 * HOUR, HOUR].flatMap((life) =>
    INSTANCES.map((instances) => {
      const ours = firstRefresh("keyless", life, instances);
      return {
        "instances, lifetime of tokens": `${instances.toLocaleString("en")}, ${life / HOUR} h`,
        "this package": `${ours.perSecond.toLocaleString("en")}, over ${ours.seconds} s`,
        "a fixed window of two minutes": firstRefresh("fixed-window", life, instances).perSecond,
      };
    }),
  );
}

function firstRefresh(strategy, life, instances) {
  const dueMs = DUE[strategy][life];
  const { fleet } = simulateRefresh({
    strategy,
    durationMs: dueMs + 100 * SECOND,
    token: { lifetimesMs: [life] },
    instances,
    startSpreadMs: SECOND,
    calls: { everyMs: SECOND, fromMs: dueMs - 10 * SECOND, atMs: [0] },
    bucketMs: SECOND,
  });
  const refreshes = fleet.requests.slice(dueMs / SECOND - 1);
  const seconds =
    refreshes.findLastIndex((count) => count > 0) - refreshes.findIndex((count) => count > 0) + 1;
  return { perSecond: Math.max(...refreshes), seconds };
}

/**
 * Simulates an hour in which the identity endpoint fails, from a minute before 10,000 instances
 * would refresh, with a call every ten seconds each.
 */
export function outageRows() {
  const instances = 10_000;
  const life = 24 * HOUR;
  return Object.keys(DUE).map((strategy) => {
    const outage = { fromMs: DUE[strategy][life] - MINUTE, toMs: DUE[strategy][life] - MINUTE + HOUR };
    const { fleet, totals } = simulateRefresh({
      strategy,
      durationMs: outage.toMs + HOUR / 2,
      token: { lifetimesMs: [life] },
      instances,
      // Spreads the calls over their ten seconds.
      startSpreadMs: 10 * SECOND,
      calls: { everyMs: 10 * SECOND, fromMs: outage.fromMs, atMs: [0] },
      outages: [{ ...outage, mode: "status", status: 503 }],
      bucketMs: SECOND,
    });
    const during = fleet.requests.slice(outage.fromMs / SECOND, outage.toMs / SECOND);
    const after = fleet.requests.slice(outage.toMs / SECOND);
    return {
      strategy: strategy === "keyless" ? "this package" : "a fixed window, retried every 3 s",
      "requests an instance": during.reduce((total, count) => total + count, 0) / instances,
      "busiest second, during and after": [during, after]
        .map((counts) => Math.max(...counts).toLocaleString("en"))
        .join(" and "),
      "calls lost": `${(totals.failed + totals.dead).toLocaleString("en")} of ${totals.calls.toLocaleString("en")}`,
    };
  });
}
