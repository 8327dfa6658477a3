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

/** A page with other rows. */
export const withRows = (page: string, rows: readonly string[]): string =>
  page.replace(MARKS, () => [...HEAD, ...rows].join("\n"));

/** The row of a client; of one that was not run, without a result. */
export function rowOf({ name, version }: Client, result: Result | undefined): string {
  const works = result === undefined ? "not run" : worksOf(result);
  return `| ${name} | ${version} | ${works} | ${result?.notes.join("; ") ?? ""} |`;
}

function worksOf({ missing, notInstalled }: Result): string {
  if (notInstalled !== undefined) return `not run here: ${notInstalled}`;
  return missing.length === 0 ? "✓" : `all but: ${missing.join(", ")}`;
}
