import { type RefreshScenario, type RefreshTimeline, simulateRefresh } from "copilot-keyless/core";
import { byId, h } from "./dom.js";
import { errorView } from "./explain.js";
import { clockDuration, count, duration } from "./format.js";
import { isLinked, linkedSettings, linkSettings, type ScenarioKey } from "./fragment.js";
import { lanes, requestRate, tokenLife } from "./refresh-charts.js";
import { type Outage, type Simulated, STRATEGIES } from "./scenario.js";
import { setVerdict } from "./tabs.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

type SliderKey = Exclude<ScenarioKey, "outageKind">;

interface Slider {
  key: SliderKey;
  name: string;
  values: readonly number[];
  /** The value when a link names none. */
  value: number;
  words(value: number): string;
}

const scale = (unit: number, steps: readonly number[]) => steps.map((step) => step * unit);

const SLIDERS: readonly Slider[] = [
  {
    key: "lasts",
    name: "Duration",
    values: scale(HOUR, [1, 2, 4, 8, 12, 24, 48]),
    value: 4 * HOUR,
    words: duration,
  },
  {
    key: "lifetime",
    name: "Token lifetime",
    values: [...scale(MINUTE, [5, 10, 15, 30, 60, 75, 90]), ...scale(HOUR, [2, 4, 8, 12, 24])],
    value: HOUR,
    words: duration,
  },
  {
    key: "outageFrom",
    name: "Outage starts after",
    values: scale(MINUTE, [0, 10, 20, 30, 40, 50, 55, 60, 75, 90, 120, 180, 240, 360, 720, 1080, 1320]),
    value: 50 * MINUTE,
    words: (ms) => (ms === 0 ? "0 min" : duration(ms)),
  },
  {
    key: "outageFor",
    name: "Outage lasts",
    values: scale(MINUTE, [0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 240, 480, 720]),
    value: 15 * MINUTE,
    words: duration,
  },
  {
    key: "latency",
    name: "Identity endpoint answers in",
    values: [50, 100, 200, 500, ...scale(SECOND, [1, 2, 5, 10, 20])],
    value: 200,
    words: duration,
  },
  {
    key: "every",
    name: "A call for a token every",
    values: scale(SECOND, [5, 10, 20, 30, 60, 120, 300, 600]),
    value: MINUTE,
    words: duration,
  },
  { key: "instances", name: "Instances", values: [1, 2, 5, 10, 20, 50, 100, 200], value: 20, words: String },
  {
    key: "ahead",
    name: "Policy: refresh before expiry",
    values: scale(MINUTE, [1, 2, 5, 10, 15, 20, 30]),
    value: 5 * MINUTE,
    words: duration,
  },
  {
    key: "jitter",
    name: "Policy: random delay up to",
    values: scale(SECOND, [0, 10, 30, 60, 120, 300]),
    value: MINUTE,
    words: duration,
  },
];

const OUTAGES = { reset: "refuses connections", hang: "never answers", status: "answers with HTTP 500" };

type Scenario = Partial<Record<SliderKey, number>> & { outageKind?: keyof typeof OUTAGES };

/**
 * Scenarios to choose from; the first one greets. What they leave out has the sliders' defaults.
 */
const PRESETS: Record<string, Scenario> = {
  "24-hour token, 4 h outage": {
    lasts: 48 * HOUR,
    lifetime: 24 * HOUR,
    outageFrom: 22 * HOUR,
    outageFor: 4 * HOUR,
    every: 5 * MINUTE,
  },
  "24-hour token, endpoint hangs for 12 h": {
    lasts: 48 * HOUR,
    lifetime: 24 * HOUR,
    outageFrom: 12 * HOUR,
    outageFor: 12 * HOUR,
    every: 5 * MINUTE,
    outageKind: "hang",
  },
  "1-hour token, 15 min outage": {},
};

let waiting: ReturnType<typeof setTimeout> | undefined;

export function refreshPanel(): void {
  const form = byId("refresh-form", HTMLFormElement);
  const kinds = Object.entries(OUTAGES).map(([value, words]) => h("option", { value }, words));
  form.append(
    ...SLIDERS.map(sliderField),
    h(
      "div",
      {},
      h("label", { for: "scenario-outageKind" }, "During the outage the endpoint"),
      h("select", { id: "scenario-outageKind" }, ...kinds),
    ),
  );
  const [greeting = {}] = Object.values(PRESETS);
  fill(isLinked("scenario") ? linkedScenario() : greeting);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    showValues();
    writeLink();
    // Simulating a fleet takes a moment: once per pause, not for every step of a slider that is
    // dragged.
    clearTimeout(waiting);
    waiting = setTimeout(simulate, 80);
  });
  const buttons = Object.entries(PRESETS).map(([name, scenario]) =>
    h(
      "button",
      {
        type: "button",
        click: () => {
          fill(scenario);
          writeLink();
          simulate();
        },
      },
      name,
    ),
  );
  byId("refresh-presets", HTMLElement).append(...buttons);
  simulate();
}

function linkedScenario(): Scenario {
  const { outageKind, ...numbers } = linkedSettings();
  const scenario: Scenario = Object.fromEntries(
    SLIDERS.map(({ key }) => [key, Number(numbers[key] ?? Number.NaN)]),
  );
  return { ...scenario, outageKind: outageKind as keyof typeof OUTAGES };
}

function sliderField({ key, name, values }: Slider): HTMLElement {
  const id = `scenario-${key}`;
  const range = h("input", { id, type: "range", min: 0, max: values.length - 1, step: 1 });
  return h("div", {}, h("label", { for: id }, name, " ", h("output", { for: id, id: `${id}-value` })), range);
}

/**
 * Sets the sliders. One that the scenario leaves out, or gives a value that it does not have, gets
 * its default.
 */
function fill(scenario: Scenario): void {
  for (const { key, values, value } of SLIDERS) {
    const at = values.indexOf(scenario[key] ?? value);
    range(key).value = String(at >= 0 ? at : values.indexOf(value));
  }
  const kind = scenario.outageKind ?? "";
  byId("scenario-outageKind", HTMLSelectElement).value = kind in OUTAGES ? kind : "reset";
  showValues();
}

function showValues(): void {
  for (const { key, words } of SLIDERS) {
    const text = words(chosen(key));
    byId(`scenario-${key}-value`, HTMLElement).textContent = text;
    range(key).setAttribute("aria-valuetext", text);
  }
}

function range(key: SliderKey): HTMLInputElement {
  return byId(`scenario-${key}`, HTMLInputElement);
}

function chosen(key: SliderKey): number {
  return SLIDERS.find((slider) => slider.key === key)?.values[Number(range(key).value)] ?? 0;
}

function outageKind(): keyof typeof OUTAGES {
  return byId("scenario-outageKind", HTMLSelectElement).value as keyof typeof OUTAGES;
}

/**
 * Writes what differs from the defaults into the link. The duration always, so that a link is known
 * to hold a scenario.
 */
function writeLink(): void {
  const settings = SLIDERS.map(({ key, value }) => [
    key,
    key !== "lasts" && chosen(key) === value ? undefined : String(chosen(key)),
  ]);
  const kind = outageKind();
  linkSettings({ ...Object.fromEntries(settings), outageKind: kind === "reset" ? undefined : kind });
}

function simulate(): void {
  const fromMs = chosen("outageFrom");
  const outage: Outage = [fromMs, fromMs + chosen("outageFor")];
  const durationMs = chosen("lasts");
  const scenario: RefreshScenario = {
    durationMs,
    token: { lifetimesMs: [chosen("lifetime")] },
    latencyMs: chosen("latency"),
    outages: outage[1] > fromMs ? [{ fromMs, toMs: outage[1], mode: outageKind() }] : [],
    calls: { everyMs: chosen("every") },
    instances: chosen("instances"),
    policy: { refreshBeforeExpiryMs: chosen("ahead"), jitterMs: chosen("jitter") },
    bucketMs: Math.max(SECOND, durationMs / 96),
  };
  let simulated: Simulated;
  try {
    simulated = STRATEGIES.map((strategy) => ({
      strategy,
      timeline: simulateRefresh({ ...scenario, strategy: strategy.id }),
    }));
  } catch (error) {
    byId("refresh-result", HTMLElement).replaceChildren(h("div", { role: "status" }, ...errorView(error)));
    setVerdict("refresh", "Rejected", "bad");
    return;
  }
  show(simulated, outage);
}

function show(simulated: Simulated, outage: Outage): void {
  const { timeline } = simulated[0] as Simulated[number];
  const { failed } = timeline.totals;
  setVerdict("refresh", `${count(failed)} failed calls`, failed === 0 ? "good" : "warn");
  byId("picture-lanes", HTMLElement).replaceChildren(lanes(simulated, outage));
  byId("picture-words", HTMLElement).textContent = summary();
  const cut = simulated.some(({ timeline: { truncated } }) => truncated);
  byId("refresh-result", HTMLElement).replaceChildren(
    h("h3", {}, "Calls of one instance, and failures of all"),
    ...(cut ? [h("p", { class: "lead" }, "Shows the first 5,000 calls; the totals count all of them.")] : []),
    lanes(simulated, outage, "chart"),
    h("h3", {}, "Token and requests of one instance of copilot-keyless"),
    tokenLife(timeline, outage),
    h("h3", {}, `Requests at the identity endpoint, all instances, per ${duration(timeline.fleet.bucketMs)}`),
    requestRate(simulated, outage),
    h("div", { id: "refresh-totals", role: "status", "aria-label": "Totals" }, totals(simulated)),
  );
}

/** The scenario in a sentence. */
function summary(): string {
  const outage = chosen("outageFor");
  const instances = chosen("instances");
  return [
    instances === 1 ? "1 instance" : `${instances} instances`,
    `with ${duration(chosen("lifetime"))} tokens over ${duration(chosen("lasts"))}`,
    outage === 0
      ? "without an outage"
      : `while the identity endpoint ${OUTAGES[outageKind()]} for ${duration(outage)}`,
  ]
    .join(", ")
    .replace(", with", " with");
}

function totals(simulated: Simulated): HTMLElement {
  const rows: [string, (timeline: RefreshTimeline) => string][] = [
    ["Calls", ({ totals }) => count(totals.calls)],
    ["Fresh token", ({ totals }) => count(totals.fresh)],
    ["Valid token, refresh running", ({ totals }) => count(totals.due)],
    ["Token after a wait", ({ totals }) => count(totals.waited)],
    ["Failed", ({ totals }) => count(totals.failed)],
    ["Expired token", ({ totals }) => count(totals.dead)],
    [
      "Longest wait",
      ({ totals }) =>
        totals.longestWaitMs < 1000 ? `${totals.longestWaitMs} ms` : clockDuration(totals.longestWaitMs),
    ],
    ["Requests at the identity endpoint", ({ totals }) => count(totals.attempts)],
    ["Failed requests", ({ totals }) => count(totals.failedAttempts)],
    ["Peak", ({ fleet }) => `${count(fleet.peak)} in ${duration(fleet.bucketMs)}`],
  ];
  const heads = simulated.map(({ strategy }) => h("th", { scope: "col" }, strategy.name));
  const table = h(
    "table",
    {},
    h("caption", {}, "Totals of all instances"),
    h("thead", {}, h("tr", {}, h("td", {}), ...heads)),
    h(
      "tbody",
      {},
      ...rows.map(([name, value]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, name),
          ...simulated.map(({ timeline }) => h("td", {}, value(timeline))),
        ),
      ),
    ),
  );
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Totals" }, table);
}
