// The table, for a terminal and for a page.

import { CONTENDERS } from "./contenders.mjs";

const NAMES = Object.keys(CONTENDERS);
const COLUMNS = ["served", "failed", "longest", "identity", "alive", "told"];

/** What a cell shows, in the order of the columns. */
function textsOf(cell) {
  if (cell.skipped) return ["-", "-", "-", "-", "-", "-"];
  const { served, failed, lost, longestWaitMs, identityRequests, alive, errors, toldWell } = cell;
  return [
    String(served),
    lost > 0 ? `${failed} (${lost} lost)` : String(failed),
    `${(longestWaitMs / 1000).toFixed(1)} s`,
    String(identityRequests),
    alive ? "yes" : "no",
    errors.length === 0 ? "-" : `${toldWell}/${errors.length}`,
  ];
}

/** Lines for a terminal: a fault, then a line for each contender. */
export function terminalTable(rows, { green, red, yellow, dim }) {
  const width = Math.max(...NAMES.map((name) => CONTENDERS[name].title.length));
  const paint = { ok: green, failed: red, skipped: yellow };
  const sign = { ok: "✓", failed: "✗", skipped: "-" };
  const head = line("", COLUMNS, width);
  const lines = rows.flatMap(({ id, title, verdict, skipped, problems, cells }) => [
    `${paint[verdict](`${sign[verdict]} ${id}`)} ${dim(skipped ? `${title}: ${skipped}` : title)}`,
    ...(skipped ? [] : NAMES.map((name) => line(CONTENDERS[name].title, textsOf(cells[name]), width))),
    ...problems.map((problem) => paint[verdict](`    ${problem}`)),
  ]);
  return [dim(head), ...lines].join("\n");
}

function line(title, texts, width) {
  return `  ${title.padEnd(width)} ${texts.map((text) => text.padStart(10)).join(" ")}`;
}

/** A Markdown table for each group of faults: a row that names the fault, then a row for each contender. */
export function markdownTable(rows) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) =>
      [
        `### ${group[0].toUpperCase()}${group.slice(1)}`,
        "",
        "| who | calls | longest wait | errors |",
        "| --- | --- | --- | --- |",
        ...rows.filter((row) => row.group === group).flatMap(markdownLines),
      ].join("\n"),
    )
    .join("\n\n");
}

function markdownLines({ id, title, verdict, skipped, cells }) {
  return [
    `| **${title}** \`${id}\`: ${skipped ?? verdict} | | | |`,
    ...NAMES.map((name) => `| ${[CONTENDERS[name].title, ...markdownCells(cells[name])].join(" | ")} |`),
  ];
}

function markdownCells(cell) {
  if (cell.skipped) return ["-", "-", "-"];
  const [served, failed, longest, requests, alive, told] = textsOf(cell);
  const [count, lost] = failed.split(" (");
  const calls = [
    `${served} served`,
    cell.failed > 0 ? `${count} failed${lost ? ` (${lost}` : ""}` : "",
    alive === "yes" ? "" : "**process ended**",
  ];
  return [
    calls.filter(Boolean).join(", "),
    `${longest}, ${requests} identity ${requests === "1" ? "request" : "requests"}`,
    told === "-" ? "none" : `${told} explained`,
  ];
}
