// `npm run faults`: what goes wrong, one fault after another, and what becomes of a conversation: with this package, with
// `getBearerTokenProvider`, and with a credential asked per session. Exit code 1 when one of ours loses a call that could be
// served, ends the process, or tells an error badly; 130 after Ctrl-C.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { main, root, StepError } from "./steps.mjs";
import { checkNode } from "./toolchain.mjs";

const HELP = `npm run faults -- [--quick] [--only name,name] [--json] [--write file]

  --quick       some of each group; under two minutes, where all take about ten
  --only names  faults or groups (identity, resource, clock, process), separated by commas
  --json        print the results as JSON on stdout, in the place of the table
  --write file  put the table between the markers of a page, such as docs/reference/faults.md
  --out file    where the results go as JSON; default target/faults/results.json`;

const BEGIN = "<!-- faults: begin -->";
const END = "<!-- faults: end -->";

await main(async () => {
  const { quick, only, json, write, out, help } = settings();
  if (help) return console.log(HELP);
  // Before anything is built: a mistake in a name is told at once.
  const catalogue = await import("../benches/faults/catalogue.mjs");
  const faults = chosen(catalogue, { quick, only });
  if (write) pageOf(write);
  checkNode();
  await build();
  const { machine, runFaults } = await import("../benches/faults/run.mjs");
  const { markdownTable, terminalTable } = await import("../benches/faults/table.mjs");
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => interrupted.abort());
  const began = performance.now();
  const rows = await runFaults(faults, { signal: interrupted.signal, onCell: tell });
  const results = {
    ...machine(),
    versions: versions(),
    seconds: Math.round((performance.now() - began) / 1000),
    complete: rows.length === faults.length,
    rows,
  };
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(json ? JSON.stringify(results, undefined, 2) : terminalTable(rows, colors(process.stdout)));
  if (interrupted.signal.aborted) {
    console.error("Ended before its time.");
    return 130;
  }
  if (write) writePage(write, results, markdownTable(rows));
  const failed = rows.filter(({ verdict }) => verdict === "failed");
  for (const { id, problems } of failed) console.error(`✗ ${id}: ${problems.join("; ")}`);
  if (failed.length === 0)
    console.error(`✓ ${rows.length} faults: no call lost, no process ended, every error told well`);
  return failed.length === 0 ? 0 : 1;
});

function settings() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: "boolean" },
        only: { type: "string" },
        json: { type: "boolean" },
        write: { type: "string" },
        out: { type: "string", default: join(root, "target/faults/results.json") },
        help: { type: "boolean", short: "h" },
      },
    });
    return values;
  } catch (error) {
    throw new StepError(error.message, "npm run faults -- --help");
  }
}

function chosen({ FAULTS, GROUPS, named, quick: some }, { quick, only }) {
  if (only === undefined) return quick ? some() : FAULTS;
  const wanted = new Set(
    only.split(",").flatMap((name) => {
      const found = named(name.trim());
      if (found) return found;
      throw new StepError(
        `There is no fault "${name.trim()}"`,
        `Groups: ${GROUPS.join(", ")}. Faults: ${FAULTS.map(({ id }) => id).join(", ")}`,
      );
    }),
  );
  return FAULTS.filter((fault) => wanted.has(fault));
}

function tell({ fault, contender, cell, done, of }) {
  const said = cell.skipped
    ? "skipped"
    : `${cell.served} served, ${cell.failed} failed${cell.alive ? "" : ", the process ended"}`;
  console.error(`… ${done}/${of} ${fault.id}, ${contender}: ${said}`);
}

/** Colours on a terminal only. */
function colors({ isTTY }) {
  const code = (on, off) => (text) =>
    isTTY && !process.env.NO_COLOR ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return { green: code(32, 39), red: code(31, 39), yellow: code(33, 39), dim: code(2, 22) };
}

function versions() {
  const versionOf = (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")).version;
  const names = ["@azure/identity", "@azure/msal-node", "@azure/core-rest-pipeline", "@github/copilot-sdk"];
  return Object.fromEntries(names.map((name) => [name, versionOf(`node_modules/${name}`)]));
}

/** A page with a place for the table, in three parts. */
function pageOf(file) {
  const path = resolve(root, file);
  let text;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new StepError(`${file} cannot be read`, "--write takes a page of this repository");
  }
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined)
    throw new StepError(`${file} has no place for the table`, `Put ${BEGIN} and ${END} there`);
  return { path, before, after };
}

function writePage(file, { node, platform, processor, cores, versions: found, seconds }, table) {
  const { path, before, after } = pageOf(file);
  const with_ = Object.entries(found).map(([name, version]) => `\`${name}\` ${version}`);
  const where = `Measured on ${platform}, ${processor}, ${cores} cores, Node ${node.slice(1)}, in ${seconds} s, with ${with_.join(", ")}.`;
  writeFileSync(path, `${before}${BEGIN}\n${where}\n\n${table}\n${END}${after}`);
}
