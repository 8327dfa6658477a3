import { KeylessError } from "copilot-keyless/core";

/** Fails a case. */
export function fail(sentence: string): never {
  throw new Error(sentence);
}

export function check(fine: unknown, sentence: string): asserts fine {
  if (!fine) fail(sentence);
}

/** Whether two values are equal as JSON, regardless of the order of fields. */
export function same(actual: unknown, expected: unknown, about = ""): void {
  const [one, other] = [actual, expected].map((value) => JSON.stringify(sorted(value)));
  check(one === other, `${about}: ${one} is not ${other}`);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]).sort());
}

/** Returns the KeylessError that a call throws. */
export async function refusal(call: () => unknown): Promise<KeylessError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof KeylessError) return error;
    throw error;
  }
  return fail("Nothing was thrown");
}

/** Expects an error with this code and a hint. */
export async function refused(call: () => unknown, code: string, about = ""): Promise<void> {
  const error = await refusal(call);
  same(error.code, code, about);
  check(error.hint, `${about}: ${code} has no hint`);
}

/** Selects fields of a result: null for an absent one, the codes for warnings. */
export function fieldsOf(found: object, expected: object): Record<string, unknown> {
  const all: Record<string, unknown> = { ...found };
  if (Array.isArray(all.warnings)) all.warnings = all.warnings.map((notice) => notice.code);
  return Object.fromEntries(Object.keys(expected).map((name) => [name, all[name] ?? null]));
}
