import type { RefreshScenario, RefreshTimeline } from "copilot-keyless/core";

/** The ways to get a token that the page compares. */
export const STRATEGIES = [
  { id: "keyless", name: "copilot-keyless" },
  { id: "per-call", name: "A token per call" },
  { id: "fixed-window", name: "Fixed window, retry every 3 s" },
] as const satisfies readonly { id: NonNullable<RefreshScenario["strategy"]>; name: string }[];

/** A scenario's timeline for each strategy. */
export type Simulated = readonly { strategy: (typeof STRATEGIES)[number]; timeline: RefreshTimeline }[];

/** From when to when the identity endpoint fails, in milliseconds from the start. */
export type Outage = readonly [fromMs: number, toMs: number];
