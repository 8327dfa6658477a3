import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { KeylessError, type RefreshScenario, type RefreshTimeline, simulateRefresh } from "copilot-keyless";
import ms from "ms";
import plot from "simple-ascii-chart";
import { LONGEST_TIMER_MS } from "../platform/clock.js";
import { json } from "./clean.js";
import { out } from "./colors.js";
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

type Outage = NonNullable<RefreshScenario["outages"]>[number];

/** Columns of the chart. */
const WIDTH = 72;

/** Rows of a list that are shown. */
const SHOWN = 12;

export async function simulate(options: Options): Promise<number> {
  const scenario = await read(options);
  const timeline = simulateRefresh(scenario);
  process.stdout.write(options.json ? json(timeline, 2) : render(timeline));
  return 0;
}

/** The scenario of a file, with what the command line says on top. */
async function read(options: Options): Promise<RefreshScenario> {
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
    throw unreadable(`The scenario ${file} cannot be read`, cause);
  }
}

function parse(source: string): RefreshScenario {
  try {
    const scenario = JSON.parse(source);
    if (typeof scenario === "object" && scenario !== null && !Array.isArray(scenario)) return scenario;
  } catch (cause) {
    throw unreadable("The scenario is not JSON", cause);
  }
  throw unreadable("The scenario is no JSON object", undefined);
}

function unreadable(message: string, cause: unknown): KeylessError {
  return new KeylessError("scenario/invalid", message, {
    hint: 'Give a file such as { "durationMs": 7200000, "outages": [{ "fromMs": 3000000, "toMs": 4200000 }] }.',
    cause,
  });
}

/** `90s`, `10m`, `24h`, `500ms`, as milliseconds. */
export function duration(text: string): number {
  const value = /^-?[\d.]+\s*[a-z]+$/i.test(text.trim()) ? ms(text as ms.StringValue) : undefined;
  if (value === undefined || !Number.isFinite(value) || value < 0)
    throw new TypeError("Give a time such as 500ms, 90s, 10m or 24h.");
  return value;
}

/** A time that a timer can wait. */
export function timeout(text: string): number {
  const value = duration(text);
  if (value >= 1 && value <= LONGEST_TIMER_MS) return value;
  throw new TypeError(
    `Give a time from 1ms to ${LONGEST_TIMER_MS}ms, which is about ${ms(LONGEST_TIMER_MS)}.`,
  );
}

/** `50m-70m`, `50m-70m:hang`, `50m-70m:429`: one more outage. */
export function outage(text: string, before: Outage[] = []): Outage[] {
  const [, from, to, how] = /^([^-:]+)-([^-:]+)(?::(\w+))?$/.exec(text.trim()) ?? [];
  if (from === undefined || to === undefined)
    throw new TypeError("Give an outage such as 50m-70m, 50m-70m:hang or 50m-70m:429.");
  const mode =
    how === undefined || how === "reset" ? {} : how === "hang" ? { mode: "hang" as const } : withStatus(how);
  return [...before, { fromMs: duration(from), toMs: duration(to), ...mode }];
}

function withStatus(how: string): { mode: "status"; status: number } {
  const status = Number(how);
  if (!Number.isInteger(status) || status < 300 || status > 599) {
    throw new TypeError("An outage is reset, hang, or an HTTP status from 300 to 599.");
  }
  return { mode: "status", status };
}

function render(timeline: RefreshTimeline): string {
  const { totals, fleet, durationMs } = timeline;
  const at = (time: number) => clock(time, durationMs);
  const calls = [
    `${totals.fresh + totals.due} served at once${totals.due > 0 ? ` (${totals.due} while a refresh was due)` : ""}`,
    `${totals.waited} after a wait${totals.waited > 0 ? ` of ${ms(totals.longestWaitMs)} at most` : ""}`,
    `${totals.failed} failed`,
    ...(totals.dead > 0 ? [out.red(`${totals.dead} served a dead token`)] : []),
  ];
  const parts = [
    table([
      ["time", ms(durationMs, { long: true }), fleet.instances > 1 ? `${fleet.instances} instances` : ""],
      ["calls", `${totals.calls}: ${calls.join(", ")}`],
      ["requests", `${totals.attempts}, ${totals.failedAttempts} of them failed`, "at the identity endpoint"],
    ]),
    fleet.instances > 1 ? rate(timeline) : strip(timeline),
    list("request", timeline.attempts, ({ atMs, endMs, outcome, background }) => [
      at(atMs),
      outcome,
      `after ${ms(endMs - atMs)}${background ? ", in the background" : ", callers waited"}`,
    ]),
    list(
      "call that waited or failed",
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

/** The first instance's life: its phases, and the requests below them. */
function strip({ phases, attempts, durationMs }: RefreshTimeline): string {
  const marks = { empty: " ", fresh: "█", due: "▒", expired: "·", closed: " " } as const;
  const column = (time: number) => Math.min(WIDTH - 1, Math.floor((time / durationMs) * WIDTH));
  const life = Array.from({ length: WIDTH }, (_, index) => {
    const from = (index / WIDTH) * durationMs;
    const to = ((index + 1) / WIDTH) * durationMs;
    // Of several phases in a column, the one to worry about most.
    const seen = phases.filter(({ fromMs, toMs }) => fromMs < to && toMs > from).map(({ phase }) => phase);
    return (["expired", "due", "fresh", "empty"] as const).find((phase) => seen.includes(phase)) ?? "empty";
  });
  const requests = Array<string>(WIDTH).fill(" ");
  for (const { atMs, outcome } of attempts) {
    const failed = outcome === "failed" || outcome === "abandoned";
    if (failed || requests[column(atMs)] !== "×") requests[column(atMs)] = failed ? "×" : "↑";
  }
  const end = ms(durationMs);
  return [
    `token     ${life.map((phase) => marks[phase]).join("")}`,
    `requests  ${requests.join("")}`,
    `          ${out.dim(`0${end.padStart(WIDTH - 1)}`)}`,
    out.dim("          █ fresh  ▒ due, in use while it is refreshed  · expired  ↑ got a token  × failed"),
    "",
  ].join("\n");
}

/** The request rate of all instances. */
function rate({ fleet, durationMs }: RefreshTimeline): string {
  const points = fleet.requests.map((count, index): [number, number] => [
    (index * fleet.bucketMs) / 60_000,
    count,
  ]);
  const chart = plot(points, { width: WIDTH, height: 10, fillArea: true });
  return `requests at the identity endpoint in ${ms(fleet.bucketMs)}, by minutes of ${ms(durationMs)}; peak ${fleet.peak}\n${chart}\n`;
}

/** The first entries of a list, one a line. */
function list<T>(what: string, entries: readonly T[], row: (entry: T) => [string, string, string]): string {
  if (entries.length === 0) return "";
  const rows = entries.slice(0, SHOWN).map(row);
  const left = entries.length - rows.length;
  const more = left > 0 ? out.dim(`and ${left} more; --json lists them\n`) : "";
  return `${out.dim(`each ${what}`)}\n${table(rows)}${more}`;
}

/** A point in time as `h:mm:ss`. */
function clock(time: number, durationMs: number): string {
  const seconds = Math.round(time / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => `${value}`.padStart(2, "0");
  const width = `${Math.floor(durationMs / 3_600_000)}`.length;
  return `${`${hours}`.padStart(width)}:${two(minutes)}:${two(seconds % 60)}`;
}
