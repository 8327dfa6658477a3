import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { KeylessError, type RefreshScenario, type RefreshTimeline, simulateRefresh } from "copilot-keyless";
import ms from "ms";
import plot from "simple-ascii-chart";
import { json } from "./clean.js";
import { out } from "./colors.js";
import type { Outage } from "./durations.js";
import { table } from "./table.js";

interface Options {
  scenario?: string;
  duration?: number;
  lifetime?: number;
  latency?: number;
  every?: number;
  outage?: Outage[];
  instances?: number;
  keepFresh?: boolean;
  strategy?: NonNullable<RefreshScenario["strategy"]>;
  seed?: number;
  json?: boolean;
}

/** Columns of the chart. */
const WIDTH = 72;

/** The number of rows shown of a list. */
const MAX_ROWS = 12;

export async function simulate(options: Options): Promise<number> {
  const scenario = await readScenario(options);
  const timeline = simulateRefresh(scenario);
  process.stdout.write(options.json ? json(timeline, 2) : render(timeline));
  return 0;
}

/** Reads the scenario of a file and applies the options of the command line. */
async function readScenario(options: Options): Promise<RefreshScenario> {
  const {
    scenario: file,
    duration,
    lifetime,
    latency,
    every,
    outage,
    instances,
    keepFresh,
    strategy,
    seed,
  } = options;
  const base = file === undefined ? {} : parse(file === "-" ? await text(process.stdin) : load(file));
  return {
    ...base,
    ...(duration === undefined ? {} : { durationMs: duration }),
    ...(lifetime === undefined ? {} : { token: { ...base.token, lifetimesMs: [lifetime] } }),
    ...(latency === undefined ? {} : { latencyMs: latency }),
    ...(every === undefined ? {} : { calls: { ...base.calls, everyMs: every } }),
    ...(outage === undefined ? {} : { outages: outage }),
    ...(instances === undefined ? {} : { instances }),
    ...(keepFresh === undefined ? {} : { keepFresh }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function load(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw scenarioError(`The scenario ${file} cannot be read`, cause);
  }
}

function parse(source: string): RefreshScenario {
  try {
    const scenario = JSON.parse(source);
    if (typeof scenario === "object" && scenario !== null && !Array.isArray(scenario)) return scenario;
  } catch (cause) {
    throw scenarioError("The scenario is not JSON", cause);
  }
  throw scenarioError("The scenario is not a JSON object", undefined);
}

function scenarioError(message: string, cause: unknown): KeylessError {
  return new KeylessError("scenario/invalid", message, {
    hint: 'Pass a file such as { "durationMs": 7200000, "outages": [{ "fromMs": 3000000, "toMs": 4200000 }] }.',
    cause,
  });
}

function render(timeline: RefreshTimeline): string {
  const { totals, fleet, durationMs } = timeline;
  const at = (time: number) => clock(time, durationMs);
  const calls = [
    `${totals.fresh + totals.due} served at once${totals.due > 0 ? ` (${totals.due} while a refresh was due)` : ""}`,
    `${totals.waited} after a wait${totals.waited > 0 ? ` of up to ${ms(totals.longestWaitMs)}` : ""}`,
    `${totals.failed} failed`,
    ...(totals.dead > 0 ? [out.red(`${totals.dead} with an expired token`)] : []),
  ];
  const parts = [
    table([
      ["time", ms(durationMs, { long: true }), fleet.instances > 1 ? `${fleet.instances} instances` : ""],
      ["calls", `${totals.calls}: ${calls.join(", ")}`],
      ["requests", `${totals.attempts}, ${totals.failedAttempts} of them failed`, "to the identity endpoint"],
    ]),
    fleet.instances > 1 ? renderRate(timeline) : renderPhases(timeline),
    list("requests", timeline.attempts, ({ atMs, endMs, outcome, background }) => [
      at(atMs),
      outcome,
      `after ${ms(endMs - atMs)}${background ? ", in the background" : ", callers waited"}`,
    ]),
    list(
      "calls that waited or failed",
      timeline.calls.filter(({ outcome }) => outcome !== "fresh" && outcome !== "due"),
      ({ atMs, waitMs, outcome, code }) => [
        at(atMs),
        outcome,
        `after ${ms(waitMs)}${code ? `, ${code}` : ""}`,
      ],
    ),
  ];
  return `${parts.filter((part) => part !== "").join("\n")}`;
}

/** Renders the phases of the first instance, and its requests below them. */
function renderPhases({ phases, attempts, durationMs }: RefreshTimeline): string {
  const marks = { empty: " ", fresh: "█", due: "▒", expired: "·", closed: " " } as const;
  const column = (time: number) => Math.min(WIDTH - 1, Math.floor((time / durationMs) * WIDTH));
  const phaseByColumn = Array.from({ length: WIDTH }, (_, index) => {
    const from = (index / WIDTH) * durationMs;
    const to = ((index + 1) / WIDTH) * durationMs;
    // Of several phases in a column, show the worst.
    const present = phases.filter(({ fromMs, toMs }) => fromMs < to && toMs > from).map(({ phase }) => phase);
    return (
      (["expired", "due", "fresh", "empty"] as const).find((phase) => present.includes(phase)) ?? "empty"
    );
  });
  const requests = Array<string>(WIDTH).fill(" ");
  for (const { atMs, outcome } of attempts) {
    const failed = outcome === "failed" || outcome === "abandoned";
    if (failed || requests[column(atMs)] !== "×") requests[column(atMs)] = failed ? "×" : "↑";
  }
  const end = ms(durationMs);
  return [
    `token     ${phaseByColumn.map((phase) => marks[phase]).join("")}`,
    `requests  ${requests.join("")}`,
    `          ${out.dim(`0${end.padStart(WIDTH - 1)}`)}`,
    out.dim("          █ fresh  ▒ due: in use and being refreshed  · expired  ↑ succeeded  × failed"),
    "",
  ].join("\n");
}

/** Renders the request rate of all instances. */
function renderRate({ fleet, durationMs }: RefreshTimeline): string {
  const points = fleet.requests.map((count, index): [number, number] => [
    (index * fleet.bucketMs) / 60_000,
    count,
  ]);
  const chart = plot(points, { width: WIDTH, height: 10, fillArea: true });
  return `requests to the identity endpoint per ${ms(fleet.bucketMs)}, by minutes of ${ms(durationMs)}; peak ${fleet.peak}\n${chart}\n`;
}

/** Renders the first entries of a list, one per line. */
function list<T>(title: string, entries: readonly T[], row: (entry: T) => [string, string, string]): string {
  if (entries.length === 0) return "";
  const rows = entries.slice(0, MAX_ROWS).map(row);
  const omitted = entries.length - rows.length;
  const more = omitted > 0 ? out.dim(`and ${omitted} more; --json lists all\n`) : "";
  return `${out.dim(title)}\n${table(rows)}${more}`;
}

/** Formats a point in time as `h:mm:ss`. */
function clock(time: number, durationMs: number): string {
  const seconds = Math.round(time / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const twoDigits = (value: number) => `${value}`.padStart(2, "0");
  const width = `${Math.floor(durationMs / 3_600_000)}`.length;
  return `${`${hours}`.padStart(width)}:${twoDigits(minutes)}:${twoDigits(seconds % 60)}`;
}
