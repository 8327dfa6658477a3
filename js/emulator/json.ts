/** An unchecked JSON object. */
export type Json = Record<string, unknown>;

/** Whether a value is a JSON object, and neither an array nor null. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the objects of an array, or an empty array for any other value. */
export function objectsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Returns a string as it is, and an empty string for any other value. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
