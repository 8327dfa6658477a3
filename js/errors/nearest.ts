/** How many characters of an unknown option may differ from the one that is meant. */
const MOST_EDITS = 2;

/** The shortest unknown option that may be the beginning of the one that is meant. */
const LEAST_START = 4;

/** Returns a question that names the option next to an unknown one, and a space; or nothing. */
export function didYouMean(unknown: string, names: readonly string[]): string {
  const given = unknown.toLowerCase();
  const [near] = names
    .map((name) => ({ name, edits: edits(given, name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= MOST_EDITS && edits < name.length)
    .sort((one, other) => one.edits - other.edits);
  return near === undefined ? "" : `Did you mean ${near.name}? `;
}

function edits(given: string, name: string): number {
  // Without its unit, such as `timeout` for `timeoutMs`.
  const isStart = given.length >= LEAST_START && name.startsWith(given);
  return isStart ? Math.min(MOST_EDITS, name.length - given.length) : distance(given, name);
}

/** How many characters must be added, removed or replaced to turn one text into another. */
function distance(from: string, to: string): number {
  let costs = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, char] of [...from].entries()) {
    const next = [row + 1];
    for (let at = 0; at < to.length; at += 1) {
      const [left, above, diagonal] = [next[at], costs[at + 1], costs[at]] as [number, number, number];
      next.push(Math.min(left + 1, above + 1, diagonal + (char === to[at] ? 0 : 1)));
    }
    costs = next;
  }
  return costs[to.length] as number;
}
