// Checks a value by a JSON Schema, as far as schema/gateway.json uses it: the file that editors read
// is the one that decides.

/** The part of JSON Schema that is checked. */
export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: "string" | "integer" | "array" | "object";
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  minItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: readonly string[];
}

/** A value that the schema does not allow. */
export interface Fault {
  /** The names and positions that lead to it. */
  path: readonly (string | number)[];
  /** Such as `must be a string`. */
  problem: string;
  /** The names that its object may have, for one that does not exist. */
  names?: readonly string[];
}

/** Returns the first fault of a value; undefined if there is none. Does not repeat the value. */
export function faultOf(
  value: unknown,
  schema: Schema,
  root: Schema = schema,
  path: Fault["path"] = [],
): Fault | undefined {
  const own = schema.$ref === undefined ? schema : root.$defs?.[schema.$ref.replace("#/$defs/", "")];
  if (own === undefined) throw new Error(`The schema lacks ${schema.$ref}`);
  const problem = problemOf(value, own);
  if (problem !== undefined) return { path, problem };
  const inner: Iterable<[string | number, unknown]> = Array.isArray(value)
    ? value.entries()
    : typeof value === "object" && value !== null
      ? Object.entries(value)
      : [];
  for (const [name, item] of inner) {
    const below = [...path, name];
    const of = schemaOf(name, own);
    if (of === false)
      return { path: below, problem: "does not exist", names: Object.keys(own.properties ?? {}) };
    const fault = of && faultOf(item, of, root, below);
    if (fault) return fault;
  }
  // Last, because a misspelt name says more than a missing one.
  const missing = own.required?.find((name) => !Object.hasOwn(value as object, name));
  return missing === undefined ? undefined : { path, problem: `lacks ${missing}` };
}

/** The schema of a member or item; false if it must not be there. */
function schemaOf(name: string | number, { items, properties = {}, additionalProperties }: Schema) {
  if (typeof name === "number") return items;
  if (Object.hasOwn(properties, name)) return properties[name];
  return additionalProperties === true ? undefined : (additionalProperties ?? undefined);
}

function problemOf(value: unknown, schema: Schema): string | undefined {
  const { type, minimum = 0, maximum, minLength = 0, minItems = 0 } = schema;
  if (schema.enum && !schema.enum.includes(value))
    return `must be ${schema.enum.map((one) => JSON.stringify(one)).join(" or ")}`;
  switch (type) {
    case "string":
      if (typeof value !== "string") return "must be a string";
      return value.length < minLength ? "must not be empty" : undefined;
    case "integer":
      return Number.isSafeInteger(value) &&
        (value as number) >= minimum &&
        (value as number) <= (maximum ?? Infinity)
        ? undefined
        : `must be a whole number from ${minimum} to ${maximum}`;
    case "array":
      if (!Array.isArray(value)) return "must be a list";
      return value.length < minItems ? "must not be empty" : undefined;
    case "object":
      return typeof value !== "object" || value === null || Array.isArray(value)
        ? "must be a table"
        : undefined;
    default:
      return undefined;
  }
}
