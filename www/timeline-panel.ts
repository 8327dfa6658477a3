import { type RefreshScenario, type RefreshTimeline, simulateRefresh } from "copilot-keyless/core";
import { byId, h } from "./dom.js";
import { errorView } from "./explain.js";
import { type Key, link, linked } from "./fragment.js";
import { span } from "./token-panel.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The strategies, side by side. */
export const STRATEGIES = [
  { id: "keyless", name: "copilot-keyless" },
  { id: "per-call", name: "A token per call" },
  { id: "fixed-window", name: "Fixed window, retry every 3 s" },
] as const satisfies readonly { id: NonNullable<RefreshScenario["strategy"]>; name: string }[];

export type Played = { strategy: (typeof STRATEGIES)[number]; timeline: RefreshTimeline }[];

interface Slider {
  key: Key;
  name: string;
  values: readonly (number | string)[];
  /** Where it begins. */
  value: number | string;
  words(value: number): string;
}

const time = (ms: number) => {
  if (ms === 0) return "none";
  if (ms < SECOND) return `${ms} ms`;
  if (ms < MINUTE) return `${ms / SECOND} s`;
  return ms < 2 * HOUR ? `${ms / MINUTE} min` : `${ms / HOUR} h`;
};

const SLIDERS: readonly Slider[] = [
  {
    key: "lasts",
    name: "Plays for",
    values: scale(HOUR, [1, 2, 4, 8, 12, 24, 48]),
    value: 4 * HOUR,
    words: time,
  },
  {
    key: "lifetime",
    name: "Lifetime of a token",
    values: [...scale(MINUTE, [5, 10, 15, 30, 60, 75, 90]), ...scale(HOUR, [2, 4, 8, 12, 24])],
    value: HOUR,
    words: time,
  },
  {
    key: "outageFrom",
    name: "Outage begins after",
    values: scale(MINUTE, [0, 10, 20, 30, 40, 50, 55, 60, 75, 90, 120, 180, 240, 360, 720, 1080]),
    value: 50 * MINUTE,
    words: (ms) => (ms === 0 ? "at once" : time(ms)),
  },
  {
    key: "outageFor",
    name: "Outage lasts",
    values: scale(MINUTE, [0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 240, 480, 720]),
    value: 15 * MINUTE,
    words: time,
  },
  {
    key: "latency",
    name: "Identity endpoint answers in",
    values: [50, 100, 200, 500, ...scale(SECOND, [1, 2, 5, 10, 20])],
    value: 200,
    words: time,
  },
  {
    key: "every",
    name: "A call for a token every",
    values: scale(SECOND, [5, 10, 20, 30, 60, 120, 300, 600]),
    value: MINUTE,
    words: time,
  },
  { key: "instances", name: "Instances", values: [1, 2, 5, 10, 20, 50, 100, 200], value: 20, words: String },
  {
    key: "ahead",
    name: "Policy: refresh ahead by",
    values: scale(MINUTE, [1, 2, 5, 10, 15, 20, 30]),
    value: 5 * MINUTE,
    words: time,
  },
  {
    key: "jitter",
    name: "Policy: random delay up to",
    values: scale(SECOND, [0, 10, 30, 60, 120, 300]),
    value: MINUTE,
    words: time,
  },
];

const OUTAGES = { reset: "refuses connections", hang: "never answers", status: "answers with HTTP 500" };

let played: Played | undefined;
/** The charts, once they have been loaded. */
let draw: ((played: Played, outage: [number, number]) => void) | undefined;
let waiting: ReturnType<typeof setTimeout> | undefined;

export function timelinePanel(): void {
  const given = linked();
  const form = byId("timeline-form", HTMLFormElement);
  form.append(...SLIDERS.map((slider) => sliderField(slider, given[slider.key])));
  const kind = h(
    "select",
    { id: "scenario-outageKind" },
    ...Object.entries(OUTAGES).map(([value, words]) => h("option", { value }, words)),
  );
  if (given.outageKind && given.outageKind in OUTAGES) kind.value = given.outageKind;
  form.append(h("div", {}, h("label", { for: "scenario-outageKind" }, "In the outage the endpoint"), kind));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    keep();
    // A simulation of a fleet takes a moment: not one for every step of a slider that is being dragged.
    clearTimeout(waiting);
    waiting = setTimeout(play, 80);
  });
  const seen = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      seen.disconnect();
      void import("./timeline-charts.js").then((charts) => {
        draw = charts.draw;
        play();
      });
    },
    { rootMargin: "200px" },
  );
  seen.observe(byId("timeline-result", HTMLElement));
}

/** Draws again, in the colours of another theme. */
export function redraw(): void {
  if (played) draw?.(played, outage());
}

function scale(unit: number, steps: readonly number[]): number[] {
  return steps.map((step) => step * unit);
}

function sliderField({ key, name, values, value, words }: Slider, given: string | undefined): HTMLElement {
  const id = `scenario-${key}`;
  const at = values.indexOf(Number(given));
  const output = h("output", { for: id });
  const range = h("input", {
    id,
    type: "range",
    min: 0,
    max: values.length - 1,
    step: 1,
    value: at >= 0 ? at : values.indexOf(value),
  });
  const tell = () => {
    const text = words(chosen(key));
    output.textContent = text;
    range.setAttribute("aria-valuetext", text);
  };
  range.addEventListener("input", tell);
  const field = h("div", {}, h("label", { for: id }, name, " ", output), range);
  // It is looked up by id, and is not in the page yet.
  queueMicrotask(tell);
  return field;
}

function chosen(key: Key): number {
  const slider = SLIDERS.find((one) => one.key === key);
  return Number(slider?.values[Number(byId(`scenario-${key}`, HTMLInputElement).value)]);
}

function outageKind(): keyof typeof OUTAGES {
  return byId("scenario-outageKind", HTMLSelectElement).value as keyof typeof OUTAGES;
}

function outage(): [from: number, to: number] {
  const from = chosen("outageFrom");
  return [from, from + chosen("outageFor")];
}

/** Puts what differs from the beginning into the address. */
function keep(): void {
  link({
    ...Object.fromEntries(
      SLIDERS.map(({ key, value }) => [key, chosen(key) === value ? undefined : String(chosen(key))]),
    ),
    outageKind: outageKind() === "reset" ? undefined : outageKind(),
  });
}

function play(): void {
  const [fromMs, toMs] = outage();
  const durationMs = chosen("lasts");
  const scenario: RefreshScenario = {
    durationMs,
    token: { lifetimesMs: [chosen("lifetime")] },
    latencyMs: chosen("latency"),
    outages: toMs > fromMs ? [{ fromMs, toMs, mode: outageKind() }] : [],
    calls: { everyMs: chosen("every") },
    instances: chosen("instances"),
    policy: { refreshBeforeExpiryMs: chosen("ahead"), jitterMs: chosen("jitter") },
    bucketMs: Math.max(SECOND, durationMs / 96),
  };
  const place = byId("timeline-result", HTMLElement);
  try {
    played = STRATEGIES.map((strategy) => ({
      strategy,
      timeline: simulateRefresh({ ...scenario, strategy: strategy.id }),
    }));
  } catch (error) {
    played = undefined;
    place.replaceChildren(h("div", { role: "status" }, ...errorView(error)));
    return;
  }
  // The canvases stay, so that charts change in place.
  if (!document.getElementById("chart-life")) place.replaceChildren(...frames());
  byId("timeline-totals", HTMLElement).replaceChildren(totals(played));
  draw?.(played, [fromMs, toMs]);
}

/** The places of the charts. What they show is told by the table below as well. */
function frames(): HTMLElement[] {
  const canvas = (id: string, label: string, height: string) =>
    h("div", { class: `chart ${height}` }, h("canvas", { id, role: "img", "aria-label": label }));
  return [
    h("h3", {}, "The life of a token, in one instance of copilot-keyless"),
    canvas(
      "chart-life",
      "Phases of the token and requests for one over time; the table below has the counts",
      "strip",
    ),
    h("h3", {}, "What calls get, in one instance"),
    h(
      "div",
      { class: "charts" },
      ...STRATEGIES.map(({ id, name }) =>
        h(
          "figure",
          {},
          h("figcaption", {}, name),
          canvas(
            `chart-${id}`,
            `Calls over time by what they got: ${name}; the table below has the counts`,
            "small",
          ),
        ),
      ),
    ),
    h("h3", {}, "Requests at the identity endpoint, of all instances"),
    canvas(
      "chart-fleet",
      "Requests over time for the three strategies; the table below has totals and peaks",
      "medium",
    ),
    h("div", { id: "timeline-totals", role: "status", "aria-label": "Totals" }),
  ];
}

function totals(all: Played): HTMLElement {
  const number = (value: number) => value.toLocaleString("en");
  const rows: [string, (timeline: RefreshTimeline) => string][] = [
    ["Calls", ({ totals }) => number(totals.calls)],
    ["Served fresh", ({ totals }) => number(totals.fresh)],
    ["Served stale, while a refresh was due", ({ totals }) => number(totals.due)],
    ["Served after a wait", ({ totals }) => number(totals.waited)],
    ["Failed", ({ totals }) => number(totals.failed)],
    ["Served a dead token", ({ totals }) => number(totals.dead)],
    [
      "Longest wait",
      ({ totals }) =>
        totals.longestWaitMs < 1000 ? `${totals.longestWaitMs} ms` : span(totals.longestWaitMs),
    ],
    ["Requests at the identity endpoint", ({ totals }) => number(totals.attempts)],
    ["Of them failed", ({ totals }) => number(totals.failedAttempts)],
    ["Peak of requests at once", ({ fleet }) => `${number(fleet.peak)} in ${time(fleet.bucketMs)}`],
  ];
  const table = h(
    "table",
    {},
    h("caption", {}, "Totals of all instances"),
    h(
      "thead",
      {},
      h("tr", {}, h("td", {}), ...all.map(({ strategy }) => h("th", { scope: "col" }, strategy.name))),
    ),
    h(
      "tbody",
      {},
      ...rows.map(([name, value]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, name),
          ...all.map(({ timeline }) => h("td", {}, value(timeline))),
        ),
      ),
    ),
  );
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Totals, to scroll" }, table);
}
