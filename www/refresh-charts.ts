// The charts of the refresh, as SVG. Positions are percentages of the width, so a chart needs no
// drawing again when the page or its theme changes. Every figure is in the table of totals, too.

import type { RefreshTimeline } from "copilot-keyless/core";
import { h, svg } from "./dom.js";
import { count, timeOfScenario } from "./format.js";
import type { Outage, Simulated } from "./scenario.js";

/** What calls may get, the best first. */
const OUTCOMES = ["fresh", "due", "waited", "failed", "dead"] as const;

type Outcome = (typeof OUTCOMES)[number];

const LEGEND: Record<Outcome, string> = {
  fresh: "fresh token",
  due: "valid token, refresh running",
  waited: "token after a wait",
  failed: "no token",
  dead: "expired token",
};

/** Cells of a lane. Each shows the worst that a call got in its time. */
const CELLS = 96;

/** Draws the calls of every strategy below each other, with the outage as a band behind them. */
export function lanes(simulated: Simulated, outage: Outage, id = ""): HTMLElement {
  const durationMs = simulated[0]?.timeline.durationMs ?? 1;
  const seen = new Set<Outcome>();
  const rows = simulated.map(({ strategy, timeline }) => {
    const { failed, calls } = timeline.totals;
    const result = failed === 0 ? "0 failed" : `${count(failed)} failed`;
    return h(
      "div",
      { class: "lane" },
      h(
        "p",
        { class: strategy.id },
        h("span", {}, strategy.name),
        h("strong", { class: failed === 0 ? "none-failed" : "some-failed" }, result),
      ),
      svg(
        "svg",
        {
          ...(id && { id: `${id}-${strategy.id}` }),
          role: "img",
          "aria-label": `${strategy.name}: ${count(failed)} of ${count(calls)} calls failed`,
        },
        ...cells(timeline, seen),
      ),
    );
  });
  const legend = OUTCOMES.filter((outcome) => seen.has(outcome)).map((outcome) =>
    h(
      "span",
      {},
      svg(
        "svg",
        { class: "swatch", "aria-hidden": "true" },
        svg("rect", { class: outcome, width: "100%", height: "100%", rx: 2 }),
      ),
      LEGEND[outcome],
    ),
  );
  return chart(outage, durationMs, rows, legend);
}

/**
 * Puts the band of the outage behind the rows of a chart, and the axis and the legend below them.
 */
function chart(
  outage: Outage,
  durationMs: number,
  rows: readonly Element[],
  legend: readonly (Node | string)[],
): HTMLElement {
  return h(
    "div",
    { class: "chart" },
    h("div", { class: "plot" }, band(outage, durationMs), ...rows),
    axis(durationMs),
    h("p", { class: "legend" }, ...legend),
  );
}

function cells({ calls, durationMs }: RefreshTimeline, seen: Set<Outcome>): SVGElement[] {
  const width = durationMs / CELLS;
  const counts = Array.from({ length: CELLS }, () => new Map<Outcome, number>());
  for (const { atMs, outcome } of calls) {
    const cell = counts[Math.min(CELLS - 1, Math.floor(atMs / width))];
    cell?.set(outcome, (cell.get(outcome) ?? 0) + 1);
  }
  return counts.flatMap((cell, index) => {
    const worst = OUTCOMES.findLast((outcome) => cell.has(outcome));
    if (worst === undefined) return [];
    seen.add(worst);
    const times = `${timeOfScenario(index * width)} to ${timeOfScenario((index + 1) * width)}`;
    const parts = OUTCOMES.filter((outcome) => cell.has(outcome)).map(
      (one) => `${cell.get(one)} × ${LEGEND[one]}`,
    );
    return [
      svg(
        "rect",
        { class: worst, x: `${(100 * index) / CELLS}%`, width: `${80 / CELLS}%`, height: "100%", rx: 1.5 },
        svg("title", {}, `${times}: ${parts.join(", ")}`),
      ),
    ];
  });
}

/** The outage, as a labelled band over the whole height of its parent. */
function band([fromMs, toMs]: Outage, durationMs: number): SVGElement {
  const from = (100 * fromMs) / durationMs;
  const to = Math.min(100, (100 * toMs) / durationMs);
  if (from >= to) return svg("svg", { class: "band", "aria-hidden": "true" });
  const anchor = from < 20 ? "start" : to > 80 ? "end" : "middle";
  const x = { start: from, end: to, middle: (from + to) / 2 }[anchor];
  return svg(
    "svg",
    { class: "band", "aria-hidden": "true" },
    svg("rect", { x: `${from}%`, width: `${to - from}%`, height: "100%", rx: 3 }),
    svg("text", { x: `${x}%`, y: 13, "text-anchor": anchor }, "identity endpoint fails"),
  );
}

function axis(durationMs: number): SVGElement {
  const hour = 3_600_000;
  const step = hour * ([0.25, 0.5, 1, 2, 4, 6, 12].find((hours) => durationMs / (hours * hour) <= 6) ?? 12);
  const ticks: SVGElement[] = [];
  for (let at = 0; at <= durationMs; at += step) {
    const anchor = at === 0 ? "start" : at === durationMs ? "end" : "middle";
    const x = `${(100 * at) / durationMs}%`;
    ticks.push(svg("text", { x, y: 14, "text-anchor": anchor }, timeOfScenario(at)));
  }
  return svg("svg", { class: "axis", "aria-hidden": "true" }, ...ticks);
}

const PHASES: Partial<Record<RefreshTimeline["phases"][number]["phase"], string>> = {
  fresh: "fresh",
  due: "refresh due",
  expired: "expired",
};

/** Draws the token of one instance, and its requests for a new one. */
export function tokenLife({ phases, attempts, durationMs }: RefreshTimeline, outage: Outage): HTMLElement {
  const at = (ms: number) => `${(100 * ms) / durationMs}%`;
  const spans = phases
    .filter(({ phase }) => phase in PHASES)
    .map(({ phase, fromMs, toMs }) =>
      svg(
        "rect",
        { class: phase, x: at(fromMs), width: at(toMs - fromMs), height: 26, rx: 2 },
        svg("title", {}, `${timeOfScenario(fromMs)} to ${timeOfScenario(toMs)}: ${PHASES[phase]}`),
      ),
    );
  const requests = attempts.map(({ atMs, outcome }) => {
    const failed = outcome === "failed" || outcome === "abandoned";
    return svg(
      "g",
      { class: failed ? "request-failed" : "request" },
      svg("title", {}, `${timeOfScenario(atMs)}: request ${outcome}`),
      svg("line", { x1: at(atMs), x2: at(atMs), y1: 34, y2: failed ? 50 : 58 }),
      ...(failed ? [] : [svg("circle", { cx: at(atMs), cy: 60, r: 4 })]),
    );
  });
  const failures = attempts.filter(({ outcome }) => outcome === "failed" || outcome === "abandoned").length;
  const label = `${attempts.length} requests for a token in one instance, ${failures} of them failed`;
  const drawing = svg("svg", { id: "chart-life", role: "img", "aria-label": label }, ...spans, ...requests);
  return chart(
    outage,
    durationMs,
    [drawing],
    [
      "Bar: the token is fresh, due for a refresh, or expired. Line with a dot: a request that got a token. Short line: a request that failed.",
    ],
  );
}

/** Draws the requests of all instances over time, a line per strategy. */
export function requestRate(simulated: Simulated, outage: Outage): HTMLElement {
  const { durationMs = 1, fleet } = simulated[0]?.timeline ?? {};
  const buckets = Math.max(1, Math.ceil(durationMs / (fleet?.bucketMs ?? 1)));
  const peak = Math.max(1, ...simulated.map(({ timeline }) => timeline.fleet.peak));
  const paths = simulated.map(({ strategy, timeline }) => {
    const points = timeline.fleet.requests
      .slice(0, buckets)
      .map((requests, index) => `${index + 0.5},${(100 * (1 - requests / peak)).toFixed(1)}`);
    return svg("path", { class: strategy.id, d: `M${points.join("L")}` });
  });
  const drawing = svg(
    "svg",
    {
      id: "chart-rate",
      role: "img",
      "aria-label": "Requests at the identity endpoint over time",
      viewBox: `0 -3 ${buckets} 106`,
      preserveAspectRatio: "none",
    },
    ...paths,
  );
  const names = simulated.map(({ strategy }) =>
    h(
      "span",
      {},
      svg(
        "svg",
        { class: "swatch line", "aria-hidden": "true" },
        svg("line", { class: strategy.id, x2: "100%", y1: "50%", y2: "50%" }),
      ),
      strategy.name,
    ),
  );
  return chart(outage, durationMs, [drawing], [...names, h("span", {}, `Top of the chart: ${count(peak)}`)]);
}
