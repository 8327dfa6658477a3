// The README's table: a row a case, a column a runtime.

import type { Result } from "./suite.js";

const MARKS = /(?<=<!-- runtimes -->\n\n).*?(?=\n\n<!-- \/runtimes -->)/s;

/** What the README holds now. */
export function between(readme: string): string {
  const found = MARKS.exec(readme)?.[0];
  if (found === undefined) throw new Error("The README has lost the marks around the table of runtimes");
  return found;
}

/** The README with another table. */
export function replaced(readme: string, table: string): string {
  return readme.replace(MARKS, () => table);
}

/** A tick for what works, the error's code for what does not. Cases of one group that came out alike share a row. */
export function table(names: readonly string[], all: ReadonlyMap<string, readonly Result[]>): string {
  const rows = new Map<string, { title: string; cells: string[] }>();
  for (const name of names) {
    const cells = [...all.values()].map((results) => cell(results.find((result) => result.name === name)));
    const [, group = name, what] = /^(.+?): (.+)$/.exec(name) ?? [];
    const key = JSON.stringify([group, cells]);
    const row = rows.get(key);
    if (row && what) row.title += `; ${what}`;
    else rows.set(key, { title: name, cells });
  }
  const runtimes = [...all.keys()];
  return [
    line(["", ...runtimes]),
    line(["---", ...runtimes.map(() => "---")]),
    ...[...rows.values()].map(({ title, cells }) => line([title, ...cells])),
  ].join("\n");
}

function cell(result: Result | undefined): string {
  if (result?.verdict === "pass") return "✓";
  return result?.verdict === "cannot" ? `\`${result.code}\`` : "✗";
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
