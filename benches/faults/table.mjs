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

/** A Markdown table for each group of faults. */
export function markdownTable(rows) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) => {
      const own = rows.filter((row) => row.group === group);
      const lines = own.flatMap((row) => NAMES.map((name, index) => markdownLine(row, name, index)));
      return [
        `### ${group[0].toUpperCase()}${group.slice(1)}`,
        "",
        "| fault | who | served | failed | longest wait | identity requests | alive | told well | ours |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ...lines,
      ].join("\n");
    })
    .join("\n\n");
}

function markdownLine({ id, title, verdict, skipped, cells }, name, index) {
  const first = index === 0;
  const texts = textsOf(cells[name]);
  const said = first ? (skipped ?? verdict) : "";
  return `| ${[first ? `**${title}** \`${id}\`` : "", CONTENDERS[name].title, ...texts, said].join(" | ")} |`;
}
