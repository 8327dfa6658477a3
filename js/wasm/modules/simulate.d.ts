// The bindings of crates/wasm/src/simulate.rs, written by hand. The build adds wasm-pack's module.

import type { RefreshScenario, RefreshTimeline } from "../types/simulation.js";

export function initSync(options: { module: Uint8Array }): void;

/** Throws a `CoreError` of core.d.ts. */
export function simulateRefresh(scenario: RefreshScenario): RefreshTimeline;
