// The rules take and return headers as one text, `name: value` on a line each.

/** Joins alternating names and values for the rules. */
export function toText(headers: readonly string[]): string {
  let text = "";
  for (let at = 0; at < headers.length; at += 2)
    text += `${at === 0 ? "" : "\n"}${headers[at]}: ${headers[at + 1]}`;
  return text;
}

/** Splits a text of the rules into alternating names and values. */
export function toList(text: string): string[] {
  if (text === "") return [];
  return text.split("\n").flatMap((line) => {
    const end = line.indexOf(": ");
    return [line.slice(0, end), line.slice(end + 2)];
  });
}

/** Returns a list of names and values without those of one name, which is in lower case. */
export function without(headers: readonly string[], name: string): string[] {
  return headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== name);
}
