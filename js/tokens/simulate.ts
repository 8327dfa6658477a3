import {
  type Checks,
  flag,
  listOf,
  number,
  object,
  plainCopy,
  readKnownOptions,
  text,
} from "../errors/check.js";
import { callCore } from "../wasm/bindings.js";
import { simulateModule } from "../wasm/simulate-bindings.js";
import type { RefreshScenario, RefreshTimeline } from "../wasm/types/simulation.js";

function scenarioChecks(): Checks<RefreshScenario> {
  return {
    durationMs: number,
    token: object,
    latencyMs: number,
    outages: listOf(object),
    calls: object,
    clockSteps: listOf(object),
    suspends: listOf(object),
    invalidationsMs: listOf(number),
    keepFresh: flag,
    instances: number,
    startSpreadMs: number,
    bucketMs: number,
    policy: object,
    strategy: text,
    seed: number,
  };
}

/**
 * Simulates a token provider under an outage, a slow endpoint, a clock that is set, or as a fleet
 * of instances. Runs the state machine of `createBearerTokenProvider`, without waiting.
 *
 * @throws KeylessError `policy/invalid`; `scenario/invalid` for a field that is unknown, of a wrong
 *   type or out of range, and for a scenario that would take more than some seconds
 * @example
 * ```ts
 * const hour = 3_600_000;
 * const { totals } = simulateRefresh({
 *   durationMs: 24 * hour,
 *   token: { lifetimesMs: [24 * hour] },
 *   outages: [{ fromMs: 12 * hour, toMs: 24 * hour }],
 * });
 * totals.failed; // 0
 * ```
 */
export function simulateRefresh(scenario: RefreshScenario): RefreshTimeline {
  const plain = plainCopy(scenario, "The scenario", "scenario/invalid");
  // The core checks the values, and reports unknown fields.
  readKnownOptions(plain, scenarioChecks(), "scenario/invalid");
  return callCore(() => simulateModule().simulateRefresh(plain));
}
