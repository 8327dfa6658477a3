const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const two = (value: number) => String(value).padStart(2, "0");

/** A duration in its largest fitting unit: `200 ms`, `5 min`, `24 h`. */
export function duration(ms: number): string {
  if (ms === 0) return "none";
  if (ms < SECOND) return `${ms} ms`;
  if (ms < MINUTE) return `${ms / SECOND} s`;
  return ms < 2 * HOUR ? `${ms / MINUTE} min` : `${ms / HOUR} h`;
}

/** A duration down to the second: `0:58:59`, `2 d 4:00:00`. */
export function clockDuration(ms: number): string {
  const seconds = Math.ceil(ms / SECOND);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const clock = `${hours}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days} d ${clock}` : clock;
}

/** A time since the start of a scenario, as `h:mm`, with seconds unless they are 0. */
export function timeOfScenario(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / SECOND));
  const rest = seconds % 60 === 0 ? "" : `:${two(seconds % 60)}`;
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}${rest}`;
}

export function count(value: number): string {
  return value.toLocaleString("en");
}
