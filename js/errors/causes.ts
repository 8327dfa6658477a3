/** An error of somebody else's, which may be anything. */
export type Loose = Record<string, unknown> & { name?: unknown; code?: unknown };

/** How many errors of a chain are looked at. */
export const MOST_CAUSES = 100;

/** The error, its causes and the errors of a chain of credentials, outermost first, each once. */
export function* causes(thrown: unknown, seen = new Set<unknown>()): Generator<Loose> {
  if (typeof thrown !== "object" || thrown === null || seen.has(thrown) || seen.size >= MOST_CAUSES) return;
  seen.add(thrown);
  const error = thrown as Loose;
  yield error;
  yield* causes(error.cause, seen);
  if (Array.isArray(error.errors)) for (const inner of error.errors) yield* causes(inner, seen);
}
