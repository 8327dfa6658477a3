/** Returns a string as it is and other values as JSON, since a body may be parsed already. */
export function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  for (const toText of [JSON.stringify, String]) {
    try {
      return toText(value) ?? String(value);
    } catch {
      // A circular value, or a getter that throws.
    }
  }
  return undefined;
}
