// The table "works with" of docs/guides/clients.md.

import type { Client } from "./client.js";

/** How the cases of a client ended. */
export interface Result {
  /** The cases that have not passed. */
  missing: string[];
  notes: string[];
  /** Why it could not be installed. */
  notInstalled?: string | undefined;
}

const MARKS = /(?<=<!-- works with -->\n\n).*?(?=\n\n<!-- \/works with -->)/s;
const HEAD = ["| client | version | works | notes |", "| --- | --- | --- | --- |"];

/** The rows of a page. */
export const rowsOf = (page: string): string[] =>
  (MARKS.exec(page)?.[0] ?? "").split("\n").slice(HEAD.length);

/** A page with the row of a client written anew. Rows of other versions are not kept. */
export function withRow(page: string, clients: readonly Client[], client: Client, result: Result): string {
  const before = rowsOf(page);
  const rows = clients.map((one) => {
    const start = `| ${one.name} | ${one.version} |`;
    if (one === client) return `${start} ${worksOf(result)} | ${result.notes.join("; ")} |`;
    return before.find((row) => row.startsWith(start)) ?? `${start} not run |  |`;
  });
  return page.replace(MARKS, () => [...HEAD, ...rows].join("\n"));
}

function worksOf({ missing, notInstalled }: Result): string {
  if (notInstalled !== undefined) return `not run here: ${notInstalled}`;
  return missing.length === 0 ? "✓" : `all but: ${missing.join(", ")}`;
}
