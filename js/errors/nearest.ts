/** How many characters of an unknown option may differ from the one that is meant. */
const MOST_EDITS = 2;

/** The shortest unknown option that may be the beginning of the one that is meant. */
const LEAST_START = 4;

/** Returns a question that names the option next to an unknown one, and a space; or nothing. */
export function didYouMean(unknown: string, names: readonly string[]): string {
  const given = unknown.toLowerCase();
  let nearest = "";
  let least = MOST_EDITS + 1;
  for (const name of names) {
    const lower = name.toLowerCase();
    const edits = distance(given, lower);
    // Without its unit, such as `timeout` for `timeoutMs`, it is further away.
    const isStart = given.length >= LEAST_START && lower.startsWith(given);
    if (edits < least || (isStart && nearest === "")) nearest = name;
    least = Math.min(least, edits);
  }
  return nearest && `Did you mean ${nearest}? `;
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
