// The charts, loaded when they come into view: Chart.js is as large as the rest of the page.

import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartDataset,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  type Plugin,
  PointElement,
  type ScaleOptionsByType,
  ScatterController,
  Tooltip,
} from "chart.js";
import type { RefreshTimeline } from "copilot-keyless/core";
import { type Played, STRATEGIES } from "./timeline-panel.js";

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  ScatterController,
  Tooltip,
);

const OUTCOMES = [
  ["fresh", "fresh", "--good"],
  ["due", "stale", "--due"],
  ["waited", "after a wait", "--wait"],
  ["failed", "failed", "--bad"],
  ["dead", "dead token", "--dead"],
] as const;

const PHASES = [
  ["fresh", "fresh", "--good"],
  ["due", "due: in use while it is refreshed", "--due"],
  ["expired", "expired", "--bad"],
] as const;

const LINES = { keyless: "--accent", "per-call": "--wait", "fixed-window": "--bad" } as const;

/** Bars of a chart of calls. */
const BUCKETS = 48;

const charts = new Map<string, Chart>();

/** Draws everything that was played, in the colours of the theme; the outage as a shade behind it. */
export function draw(played: Played, outage: [number, number]): void {
  const style = getComputedStyle(document.documentElement);
  // Colours that know two themes are resolved where they are used.
  const probe = document.body.appendChild(document.createElement("span"));
  probe.hidden = true;
  const color = (name: string) => {
    probe.className = `ink${name.slice(1)}`;
    return getComputedStyle(probe).color;
  };
  Chart.defaults.color = color("--soft");
  Chart.defaults.borderColor = color("--line");
  Chart.defaults.font.family = style.fontFamily;
  Chart.defaults.animation = matchMedia("(prefers-reduced-motion: reduce)").matches
    ? false
    : { duration: 200 };
  const shade = shadeOf(outage, color("--shade"));

  const keyless = played.find(({ strategy }) => strategy.id === "keyless")?.timeline;
  if (keyless) life(keyless, color, shade);
  for (const { strategy, timeline } of played) calls(strategy.id, timeline, color, shade);
  fleet(played, color, shade);
  probe.remove();
}

type Color = (name: string) => string;

function life({ phases, attempts, durationMs }: RefreshTimeline, color: Color, shade: Plugin): void {
  const spans = PHASES.map(([phase, label, ink]) => ({
    type: "bar" as const,
    label,
    backgroundColor: color(ink),
    pointStyle: "rect",
    barPercentage: 0.9,
    categoryPercentage: 1,
    grouped: false,
    data: phases
      .filter((one) => one.phase === phase)
      .map(({ fromMs, toMs }) => ({ x: [fromMs, toMs] as [number, number], y: "token" })),
  }));
  const points = (label: string, ink: string, style: "triangle" | "crossRot", failed: boolean) => ({
    type: "scatter" as const,
    label,
    backgroundColor: color(ink),
    borderColor: color(ink),
    borderWidth: 2,
    pointStyle: style,
    radius: 5,
    data: attempts
      .filter(({ outcome }) => failed === (outcome === "failed" || outcome === "abandoned"))
      .map(({ atMs }) => ({ x: atMs, y: "requests" })),
  });
  const datasets = [
    ...spans,
    points("got a token", "--accent", "triangle", false),
    points("failed", "--bad", "crossRot", true),
  ] as unknown as ChartDataset<"bar">[];
  put("chart-life", {
    data: { labels: ["token", "requests"], datasets },
    indexAxis: "y",
    scales: {
      x: times(durationMs),
      y: { type: "category", labels: ["token", "requests"], grid: { display: false } },
    },
    plugins: [shade],
    at: (x) => clock(x),
  });
}

function calls(id: string, timeline: RefreshTimeline, color: Color, shade: Plugin): void {
  const width = timeline.durationMs / BUCKETS;
  const datasets = OUTCOMES.flatMap(([outcome, label, ink]) => {
    const counts = Array<number>(BUCKETS).fill(0);
    for (const call of timeline.calls) {
      if (call.outcome !== outcome) continue;
      const bucket = Math.min(BUCKETS - 1, Math.floor(call.atMs / width));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    if (outcome === "dead" && timeline.totals.dead === 0) return [];
    return [
      {
        type: "bar" as const,
        label,
        backgroundColor: color(ink),
        pointStyle: "rect",
        barPercentage: 1,
        categoryPercentage: 1,
        stack: "calls",
        data: counts.map((count, index) => ({ x: (index + 0.5) * width, y: count })),
      },
    ];
  }) as unknown as ChartDataset<"bar">[];
  put(`chart-${id}`, {
    data: { datasets },
    indexAxis: "x",
    scales: {
      x: { ...times(timeline.durationMs, 4), stacked: true, offset: false },
      y: { stacked: true, beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 4 } },
    },
    plugins: [shade],
    at: (x) => `${clock(x - width / 2)} to ${clock(x + width / 2)}`,
  });
}

function fleet(played: Played, color: Color, shade: Plugin): void {
  const datasets = played.map(({ strategy, timeline }) => ({
    type: "line" as const,
    label: strategy.name,
    borderColor: color(LINES[strategy.id]),
    backgroundColor: color(LINES[strategy.id]),
    borderDash: strategy.id === "keyless" ? [] : strategy.id === "per-call" ? [6, 4] : [2, 3],
    borderWidth: 2,
    pointStyle: "line",
    radius: 0,
    data: timeline.fleet.requests.map((count, index) => ({ x: index * timeline.fleet.bucketMs, y: count })),
  })) as unknown as ChartDataset<"bar">[];
  put("chart-fleet", {
    data: { datasets },
    indexAxis: "x",
    scales: {
      x: { ...times(played[0]?.timeline.durationMs ?? 1), offset: false },
      y: { beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 6 } },
    },
    plugins: [shade],
    at: (x) => `from ${clock(x)}`,
  });
}

interface Drawing {
  data: { labels?: string[]; datasets: ChartDataset<"bar">[] };
  indexAxis: "x" | "y";
  scales: Record<string, object>;
  plugins: Plugin[];
  /** What a tooltip says of a point in time. */
  at(x: number): string;
}

function put(id: string, { data, indexAxis, scales, plugins, at }: Drawing): void {
  const canvas = document.getElementById(id);
  if (!(canvas instanceof HTMLCanvasElement)) return;
  charts.get(id)?.destroy();
  const chart = new Chart(canvas, {
    type: "bar",
    data,
    plugins,
    options: {
      indexAxis,
      maintainAspectRatio: false,
      responsive: true,
      interaction: { mode: "nearest", intersect: false, axis: "x" },
      scales,
      plugins: {
        legend: { position: "bottom", labels: { boxWidth: 12, boxHeight: 12, usePointStyle: true } },
        tooltip: {
          callbacks: {
            title: ([item]) =>
              at(Number(item?.parsed[indexAxis === "y" && item.dataset.type === "bar" ? "y" : "x"] ?? 0)),
            label: (item) => {
              const raw = item.raw as { x: number | [number, number]; y: number | string };
              const name = item.dataset.label ?? "";
              if (Array.isArray(raw.x)) return `${name}: ${clock(raw.x[0])} to ${clock(raw.x[1])}`;
              return typeof raw.y === "number" ? `${name}: ${raw.y}` : `${name}: ${clock(raw.x)}`;
            },
          },
        },
      },
    },
  });
  charts.set(id, chart);
}

function times(durationMs: number, most = 8): Partial<ScaleOptionsByType<"linear">> {
  const hours = [0.25, 0.5, 1, 2, 4, 6, 12, 24].find((step) => durationMs / (step * 3_600_000) <= most) ?? 24;
  return {
    type: "linear",
    min: 0,
    max: durationMs,
    ticks: {
      maxRotation: 0,
      stepSize: hours * 3_600_000,
      callback: (value: string | number) => clock(Number(value)),
    },
  } as unknown as Partial<ScaleOptionsByType<"linear">>;
}

/** A point in time as `h:mm`, with the seconds where there are some. */
function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const rest = seconds % 60 === 0 ? "" : `:${two(seconds % 60)}`;
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}${rest}`;
}

/** The outage, as a shade over the whole height. */
function shadeOf([from, to]: [number, number], color: string): Plugin {
  return {
    id: "outage",
    beforeDatasetsDraw: ({ ctx, chartArea, scales: { x } }) => {
      if (!x || to <= from) return;
      const left = Math.max(chartArea.left, x.getPixelForValue(from));
      const right = Math.min(chartArea.right, x.getPixelForValue(to));
      if (right <= left) return;
      ctx.save();
      ctx.fillStyle = color;
      ctx.fillRect(left, chartArea.top, right - left, chartArea.height);
      ctx.restore();
    },
  };
}

// The order of the charts is that of the strategies; a strategy without a colour would not compile.
STRATEGIES satisfies readonly { id: keyof typeof LINES }[];
