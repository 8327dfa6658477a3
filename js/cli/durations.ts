import type { RefreshScenario } from "copilot-keyless";
import ms from "ms";
import { LONGEST_TIMER_MS } from "../platform/clock.js";

/** An outage of a simulated identity endpoint. */
export type Outage = NonNullable<RefreshScenario["outages"]>[number];

/** Parses a duration such as `90s`, `10m`, `24h` or `500ms`. Returns milliseconds. */
export function duration(text: string): number {
  const value = /^-?[\d.]+\s*[a-z]+$/i.test(text.trim()) ? ms(text as ms.StringValue) : undefined;
  if (value === undefined || !Number.isFinite(value) || value < 0)
    throw new TypeError("Use a time such as 500ms, 90s, 10m or 24h.");
  return value;
}

/** Parses a duration that timers support. */
export function timeout(text: string): number {
  const value = duration(text);
  if (value >= 1 && value <= LONGEST_TIMER_MS) return value;
  throw new TypeError(
    `Use a time from 1ms to ${LONGEST_TIMER_MS}ms, which is about ${ms(LONGEST_TIMER_MS)}.`,
  );
}

/** Parses `50m-70m`, `50m-70m:hang` or `50m-70m:429`, and adds it to the previous outages. */
export function outage(text: string, previous: Outage[] = []): Outage[] {
  const [, from, to, kind] = /^([^-:]+)-([^-:]+)(?::(\w+))?$/.exec(text.trim()) ?? [];
  if (from === undefined || to === undefined)
    throw new TypeError("Use an outage such as 50m-70m, 50m-70m:hang or 50m-70m:429.");
  const mode =
    kind === undefined || kind === "reset"
      ? {}
      : kind === "hang"
        ? { mode: "hang" as const }
        : withStatus(kind);
  return [...previous, { fromMs: duration(from), toMs: duration(to), ...mode }];
}

function withStatus(kind: string): { mode: "status"; status: number } {
  const status = Number(kind);
  if (!Number.isInteger(status) || status < 300 || status > 599) {
    throw new TypeError("The kind of an outage is reset, hang, or an HTTP status from 300 to 599.");
  }
  return { mode: "status", status };
}
