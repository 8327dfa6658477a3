// Simulates 10,000 instances started in one second, each with a token of 24 h: compares the busiest
// second of their refresh with an even spread over the jitter window.
import { simulateRefresh } from "copilot-keyless/core";
import { HOUR, MINUTE, SECOND } from "../../tests/conformance/programs/clocks.mjs";
import { report } from "./systems.mjs";

const [name] = process.argv.slice(2);
const INSTANCES = 10_000;
const WINDOW_MS = MINUTE;

/** When their refresh is due: at half the lifetime, or two minutes before the token expires. */
const [strategy, dueMs] =
  name === "copilot-keyless" ? ["keyless", 12 * HOUR] : ["fixed-window", 24 * HOUR - 2 * MINUTE];
const { fleet } = simulateRefresh({
  strategy,
  durationMs: dueMs + WINDOW_MS + 40 * SECOND,
  token: { lifetimesMs: [24 * HOUR] },
  instances: INSTANCES,
  startSpreadMs: SECOND,
  bucketMs: SECOND,
  // A call a second, from shortly before the refresh is due.
  calls: { everyMs: SECOND, fromMs: dueMs - 10 * SECOND, atMs: [0] },
});
const refreshes = fleet.requests.slice(dueMs / SECOND - 1);
const sum = refreshes.reduce((total, count) => total + count, 0);
if (sum !== INSTANCES) throw new Error(`${sum} of ${INSTANCES} have refreshed`);
report({ overMean: Math.max(...refreshes) / (INSTANCES / (WINDOW_MS / SECOND)) });
