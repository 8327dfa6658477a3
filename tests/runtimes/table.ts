// Formats the table of docs/reference/runtimes.md: a row for each case, a column for runtimes with
// the same results.

import type { Result } from "./suite.js";

const MARKS = /(?<=<!-- runtimes -->\n\n).*?(?=\n\n<!-- \/runtimes -->)/s;

/** Returns the table in the page. */
export function between(page: string): string {
  const found = MARKS.exec(page)?.[0];
  if (found === undefined) throw new Error("The page has lost the marks around the table of runtimes");
  return found;
}

/** Returns the page with a new table. */
export function replaced(page: string, table: string): string {
  return page.replace(MARKS, () => table);
}

/**
 * Formats a tick for a supported case, the error's code for an unsupported one, and a dash for one
 * that was not run. Runtimes with
 * the same results share a column, and cases of one group with the same results share a row.
 */
export function table(names: readonly string[], all: ReadonlyMap<string, readonly Result[]>): string {
  const columns = new Map<string, { title: string; cells: string[] }>();
  for (const [runtime, results] of all) {
    const cells = names.map((name) => cell(results.find((result) => result.name === name)));
    const same = columns.get(JSON.stringify(cells));
    if (same) same.title += `, ${runtime}`;
    else columns.set(JSON.stringify(cells), { title: runtime, cells });
  }
  const rows = new Map<string, { title: string; cells: string[] }>();
  for (const [index, name] of names.entries()) {
    const cells = [...columns.values()].map((column) => column.cells[index] as string);
    const [, group = name, what] = /^(.+?): (.+)$/.exec(name) ?? [];
    const key = JSON.stringify([group, cells]);
    const row = rows.get(key);
    if (row && what) row.title += `; ${what}`;
    else rows.set(key, { title: name, cells });
  }
  const titles = [...columns.values()].map(({ title }) => title);
  return [
    line(["", ...titles]),
    line(["---", ...titles.map(() => "---")]),
    ...[...rows.values()].map(({ title, cells }) => line([title, ...cells])),
  ].join("\n");
}

function cell(result: Result | undefined): string {
  if (result === undefined) return "–";
  if (result.verdict === "pass") return "✓";
  return result.verdict === "cannot" ? `\`${result.code}\`` : "✗";
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
