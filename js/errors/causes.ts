/** An error of another library, with any properties. */
export type Loose = Record<string, unknown> & { name?: unknown; code?: unknown };

/** How many errors of a chain are read. */
export const MAX_CAUSES = 100;

/**
 * Yields the error, its causes, and the errors of a credential chain: outermost first, each once.
 */
export function* causes(thrown: unknown, seen = new Set<unknown>()): Generator<Loose> {
  if (typeof thrown !== "object" || thrown === null || seen.has(thrown) || seen.size >= MAX_CAUSES) return;
  seen.add(thrown);
  const error = thrown as Loose;
  yield error;
  yield* causes(error.cause, seen);
  if (Array.isArray(error.errors)) for (const inner of error.errors) yield* causes(inner, seen);
}

/** The HTTP status that an error carries. */
export function httpStatus(error: Loose): number | undefined {
  return [error.statusCode, error.status].find(
    (status): status is number => typeof status === "number" && status >= 300 && status <= 599,
  );
}
