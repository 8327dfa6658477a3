// Formats the results as a table, for a terminal and for a page.

import pc from "picocolors";
import { tableOf } from "../table.mjs";
import { CONTENDERS } from "./contenders.mjs";

const NAMES = Object.keys(CONTENDERS);
const COLUMNS = ["served", "failed", "longest", "identity", "alive", "told"];

/** The columns: one figure of a cell each. */
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

/** Returns lines for a terminal: a fault, then a line for each contender. */
export function terminalTable(rows, { green, red, yellow, dim } = pc) {
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

/** Returns the part of a page: the environment of the measurement, and a table for each group. */
export function pageOf({ node, platform, processor, cores, versions, seconds, rows }) {
  const packages = Object.entries(versions).map(([name, version]) => `\`${name}\` ${version}`);
  const where = `Measured on ${platform}, ${processor}, ${cores} cores, Node ${node.slice(1)}, in ${seconds} s, with ${packages.join(", ")}.`;
  const groups = [...new Set(rows.map(({ group }) => group))].map((group) => {
    const own = rows.filter((row) => row.group === group);
    const table = tableOf(own.flatMap(cellsOf), ["who", "calls", "longest wait", "errors"]);
    return `### ${group[0].toUpperCase()}${group.slice(1)}\n\n${table}`;
  });
  return [where, ...groups].join("\n\n");
}

/** Returns a row that names the fault, then a row for each contender. */
function cellsOf({ id, title, verdict, skipped, cells }) {
  return [
    [`**${title}** \`${id}\`: ${skipped ?? verdict}`, "", "", ""],
    ...NAMES.map((name) => [CONTENDERS[name].title, ...contenderCells(cells[name])]),
  ];
}

function contenderCells(cell) {
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
