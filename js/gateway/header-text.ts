// The rules take headers as one text, `name: value` on a line each, and return a digit for each: `1`
// if it passes, else `0`. Lists of headers have names and values in turns.

/** Joins alternating names and values for the rules. */
export function toText(headers: readonly string[]): string {
  let text = "";
  for (let at = 0; at < headers.length; at += 2)
    text += `${at === 0 ? "" : "\n"}${headers[at]}: ${headers[at + 1]}`;
  return text;
}

/** Returns the names and values of the headers that pass. */
export function passing(headers: readonly string[], digits: string): string[] {
  const list: string[] = [];
  if (headers.length === 0) return list;
  // The rules saw other headers than these: one has a line break.
  if (digits.length * 2 !== headers.length) throw new Error("A header has a line break");
  for (let at = 0; at < digits.length; at += 1)
    if (digits[at] === "1") list.push(headers[2 * at] as string, headers[2 * at + 1] as string);
  return list;
}

/** Returns the value of a header, whose name is in lower case. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) {
    const one = headers[at] as string;
    if (one.length === name.length && one.toLowerCase() === name) return headers[at + 1];
  }
  return undefined;
}

/** Returns a list of names and values without those of one name, which is in lower case. */
export function without(headers: readonly string[], name: string): string[] {
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== name);
}
