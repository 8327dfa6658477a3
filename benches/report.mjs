// Formats the rows as a table for terminals and for the docs, and as data, with the environment of
// the measurement.

import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import pc from "picocolors";
import { tableOf } from "./table.mjs";
import { tree } from "./tree.mjs";
import { otherVersionsOf, versionsOf } from "./versions.mjs";

const own = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const PEERS = [
  "@azure/identity",
  "@azure/msal-node",
  "@azure/core-rest-pipeline",
  "@github/copilot-sdk",
  "openai",
];

/** Returns only the rows' figures, in the documented shape. */
export function dataOf(rows) {
  return rows.map(({ case: name, ours, peer, peerName, limit, ratio, goal, ok }) => ({
    ...{ case: name, ours, peer, peerName, limit, ratio, goal, ok },
  }));
}

/** Returns the rows, as `case: peer`, whose verdict differs between runs. */
export function differing(runs) {
  const [first] = runs;
  return first
    .filter(({ ok }, index) => runs.some((rows) => rows[index].ok !== ok))
    .map((row) => [row.case, row.peerName].filter(Boolean).join(": "));
}

/** Compares several runs in a sentence. Empty for one run. */
export function agreement({ count, differing }) {
  if (count === 1) return "";
  return differing.length === 0
    ? `The verdicts of ${count} runs agree.`
    : `The verdicts of ${count} runs differ in: ${differing.join("; ")}.`;
}

export function environmentOf({ quick, cases = [] }) {
  return {
    quick,
    runs: { count: 1, differing: [] },
    measuredAt: new Date().toISOString(),
    node: tree.version,
    machine: {
      system: `${platform()} ${release()} ${arch()}`,
      processor: cpus()[0]?.model.trim(),
      cores: cpus().length,
      memoryGB: Math.round(totalmem() / 2 ** 30),
      load: loadavg()[0],
    },
    versions: { "copilot-keyless": own.version, ...versionsOf(...PEERS), ...otherVersionsOf(cases) },
  };
}

/** Formats a line for each case for a terminal, then a line for each peer. */
export function textOf(rows, runs, { green, red, dim } = pc) {
  const lines = [];
  const width = (pick) => Math.max(...rows.map((row) => pick(row).length));
  const peerWidth = width(nameOf);
  const figureWidth = width((row) => figure(row.peer, row.unit));
  const shownWidth = width(({ shown }) => shown);
  for (const [index, row] of rows.entries()) {
    if (row.case !== rows[index - 1]?.case) {
      const limit = row.limit === null ? "" : dim(`, limit ${figure(row.limit, row.unit)}`);
      lines.push("", `${row.title} ${dim(`(${row.case})`)}: ${figure(row.ours, row.unit)}${limit}`);
    }
    const mark = row.ok ? green("✓     ") : red(row.error ? "failed" : "MISSED");
    const peer = `${nameOf(row).padEnd(peerWidth)}  ${figure(row.peer, row.unit).padStart(figureWidth)}`;
    lines.push(`  ${mark}  ${peer}  ${row.shown.padEnd(shownWidth)}  ${dim(row.goal)}`);
    for (const note of [...row.notes, ...(row.error ? row.error.split("\n") : [])])
      lines.push(dim(`          ${note}`));
  }
  const met = `${rows.filter(({ ok }) => ok).length} of ${rows.length} goals met.`;
  return [...lines.slice(1), "", `${met} ${agreement(runs)}`].join("\n");
}

/** Formats the table and its environment for a page. */
export function pageOf(rows, environment) {
  return `${tableOf(cellsOf(rows), ["case", "ours", "peer", "goal"])}\n\n${sourceOf(environment)}`;
}

/** Returns the cells of each row. Only a case's first row has its title and its own figures. */
function cellsOf(rows) {
  return rows.map((row, index) => {
    const first = row.case !== rows[index - 1]?.case;
    const limit = row.limit === null ? "" : `; limit ${figure(row.limit, row.unit)}`;
    const peer = row.peerName === null ? "" : `${row.peerName} ${figure(row.peer, row.unit)}`.trim();
    const verdict = row.ok ? "met" : row.error ? "could not be run" : "**missed**";
    return [
      first ? row.title : "",
      first ? `${figure(row.ours, row.unit)}${limit}` : "",
      row.shown ? `${peer} (${row.shown})` : peer,
      [`${row.goal}: ${verdict}`, ...row.notes].join("; "),
    ];
  });
}

/** Describes where, when and with which versions the run was measured. */
function sourceOf({ node, machine, versions, measuredAt, quick, runs }) {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Measured on ${measuredAt.slice(0, 10)}${quick ? " with --quick" : ""}: Node ${node}, ${machine.system}, ${machine.cores} cores (${machine.processor}), ${machine.memoryGB} GB, load ${machine.load.toFixed(1)} at the start; ${named.join(", ")}. ${agreement(runs)}`.trim();
}

function nameOf({ peerName }) {
  return peerName ?? "";
}

function figure(value, unit) {
  if (value === null) return "";
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const number = value.toLocaleString("en", { maximumFractionDigits: digits });
  return ["ns", "ms", "KB", "bytes"].includes(unit) ? `${number} ${unit}` : number;
}
