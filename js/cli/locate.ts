// Finds the line of a setting in a file, for messages. The parsers do not tell it.

type Path = readonly (string | number)[];

/** Returns the line of a setting, from 1; that of what encloses it, if it has none of its own. */
export function lineOf(path: Path, lines: ReadonlyMap<string, number>): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const line = lines.get(keyOf(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return undefined;
}

const keyOf = (path: Path): string => JSON.stringify(path.map(String));

/** Returns the lines of all settings of a TOML file, except those in multi-line texts and tables. */
export function tomlLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let table: (string | number)[] = [];
  const note = (path: Path, line: number) => {
    if (!lines.has(keyOf(path))) lines.set(keyOf(path), line);
  };
  for (const [index, line] of text.split("\n").entries()) {
    const [, brackets, header] = /^\s*(\[\[?)\s*([^\]]+?)\s*\]/.exec(line) ?? [];
    if (header !== undefined) {
      // The last item of each list that the header passes.
      table = [];
      const names = namesOf(header);
      for (const [at, name] of names.entries()) {
        table.push(name);
        const key = keyOf(table);
        const isNew = brackets === "[[" && at === names.length - 1;
        if (isNew) counts.set(key, (counts.get(key) ?? -1) + 1);
        if (isNew) note(table, index + 1);
        const count = counts.get(key);
        if (count !== undefined) table.push(count);
      }
      note(table, index + 1);
      continue;
    }
    const [, names] =
      /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=/.exec(line) ?? [];
    if (names === undefined) continue;
    const path = [...table];
    for (const name of namesOf(names)) {
      path.push(name);
      note(path, index + 1);
    }
  }
  return lines;
}

function namesOf(dotted: string): string[] {
  const names = dotted.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g);
  return [...names].map(([, double, single, bare]) => double ?? single ?? bare ?? "");
}

/** Returns the lines of all settings of a valid JSON file. */
export function jsonLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  /** The containers around a token, and the name or position within each. */
  const stack: { isList: boolean; at: string | number; isName: boolean }[] = [];
  let line = 1;
  const note = () => lines.set(keyOf(stack.map(({ at }) => at)), line);
  for (const [token] of text.matchAll(/\n|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const top = stack.at(-1);
    if (token === "\n") line += 1;
    else if (token === "{" || token === "[") {
      if (top?.isList) note();
      stack.push({ isList: token === "[", at: token === "[" ? 0 : "", isName: token === "{" });
    } else if (token === "}" || token === "]") stack.pop();
    else if (token === "," && top) {
      if (top.isList) top.at = (top.at as number) + 1;
      else top.isName = true;
    } else if (token === ":" && top) top.isName = false;
    else if (top?.isName) {
      top.at = JSON.parse(token);
      note();
    } else if (top?.isList) note();
  }
  return lines;
}
