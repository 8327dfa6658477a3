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
 * Simulates an hour in which the identity endpoint fails, from a minute before the first of 1,000
 * instances would refresh, with a call every ten seconds each. The fixed window has no row for
 * tokens of 24 h: `ManagedIdentityCredential` gives those a refresh at half their life, which this
 * strategy does not know, so it would lose calls that `getBearerTokenProvider` serves.
 */
export function outageRows() {
  return [
    outageRow("keyless", 24 * HOUR, DUE.keyless[24 * HOUR] - MINUTE),
    outageRow("keyless", HOUR, DUE.keyless[HOUR] - MINUTE),
    outageRow("fixed-window", HOUR, DUE.keyless[HOUR] - MINUTE),
  ];
}

function outageRow(strategy, life, fromMs) {
  const instances = 1_000;
  const outage = { fromMs, toMs: fromMs + HOUR };
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
  const name = strategy === "keyless" ? "this package" : "a fixed window, retried every 3 s";
  return {
    "strategy, lifetime of tokens": `${name}, ${life / HOUR} h`,
    "requests an instance": during.reduce((total, count) => total + count, 0) / instances,
    "busiest second, during and after": [during, after]
      .map((counts) => Math.max(...counts).toLocaleString("en"))
      .join(" and "),
    "calls lost": `${(totals.failed + totals.dead).toLocaleString("en")} of ${totals.calls.toLocaleString("en")}`,
  };
}
