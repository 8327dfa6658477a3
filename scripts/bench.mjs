// `npm run bench`: every case beside its peers, in one run; see HELP.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs, styleText } from "node:util";
import { CASES } from "../benches/cases.mjs";
import { measure } from "../benches/measure.mjs";
import { agreement, dataOf, differing, environmentOf, textOf, written } from "../benches/report.mjs";
import { build } from "./build.mjs";
import { main, root, run, StepError, step } from "./steps.mjs";
import { checkNode } from "./toolchain.mjs";

const HELP = `npm run bench -- [--quick] [--only case[,case]] [--runs n] [--json] [--out folder] [--write file] [--strict]
npm run bench -- --native

Measures the package and its peers side by side: a fresh process each, five of each, medians. About five minutes.

  --quick       one process of each (three where the start is measured) and fewer turns; under a minute
  --only case   only these cases; may be repeated
  --runs n      all of it n times: the figures are the last run's, and verdicts that differ are named
  --json        print the rows as JSON on stdout, no table
  --out folder  where results.json and environment.json go, instead of target/bench
  --write file  put the table into a Markdown file, between its two marks: docs/reference/bench.md; may be repeated: README.md, in short
  --strict      exit code 1 when a goal is missed; otherwise only when a case could not be run
  --native      instead: the core's decisions natively, by Criterion

The rows are in target/bench/results.json, the machine and the versions in environment.json beside it. Times are
of this machine; what is judged are ratios, counts, sizes and whether somebody waits.

Cases:
${CASES.map(({ name, title }) => `  ${name.padEnd(20)} ${title}`).join("\n")}`;

const OPTIONS = {
  quick: { type: "boolean", default: false },
  only: { type: "string", multiple: true, default: [] },
  runs: { type: "string", default: "1" },
  json: { type: "boolean" },
  out: { type: "string", default: join(root, "target/bench") },
  write: { type: "string", multiple: true, default: [] },
  strict: { type: "boolean" },
  native: { type: "boolean" },
  help: { type: "boolean", short: "h" },
};

await main(async () => {
  const { quick, runs, json, out, write, strict, help, native, cases } = settings();
  if (help) return console.log(HELP);
  checkNode();
  if (native) return benchNative();
  const targets = write.map(targetOf);
  await build();
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => interrupted.abort());
  const environment = environmentOf({ quick });
  const all = [];
  for (let n = 1; n <= runs; n += 1) {
    if (runs > 1) console.error(`Run ${n} of ${runs}`);
    const rows = await measure(cases, { quick, signal: interrupted.signal, step }).catch((error) => {
      if (!interrupted.signal.aborted) throw error;
    });
    if (!rows) {
      console.error("Ended before its time.");
      return 130;
    }
    all.push(rows);
  }
  const rows = all.at(-1);
  environment.runs = { count: runs, differing: differing(all) };
  save(out, "results.json", dataOf(rows));
  save(out, "environment.json", environment);
  if (json) console.log(JSON.stringify(dataOf(rows), undefined, 2));
  else
    console.log(
      `\n${textOf(rows, styles())}\n\n${[verdictOf(rows), agreement(environment.runs)].filter(Boolean).join("\n")}`,
    );
  for (const { path, text } of targets) writeFileSync(path, written(text, rows, environment));
  for (const { case: name, error } of rows) if (error && json) console.error(`${name}: ${error}`);
  return rows.some(({ error, ok }) => error || (strict && !ok)) ? 1 : 0;
});

async function benchNative() {
  const manifest = ["--manifest-path", "benches/native/Cargo.toml", "--target-dir", "target/bench-native"];
  await run("cargo", ["bench", "--locked", ...manifest], { show: true });
}

function settings() {
  const { values } = given();
  const only = values.only.flatMap((names) => names.split(",")).map((name) => name.trim());
  const known = new Set(CASES.map(({ name }) => name));
  const stranger = only.find((name) => !known.has(name));
  if (stranger !== undefined) {
    throw new StepError(`There is no case "${stranger}"`, `Cases: ${[...known].join(", ")}`);
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new StepError("--runs is a whole number", "Such as --runs 3.");
  return { ...values, runs, cases: CASES.filter(({ name }) => only.length === 0 || only.includes(name)) };
}

function given() {
  try {
    return parseArgs({ options: OPTIONS });
  } catch (error) {
    throw new StepError(error.message, "npm run bench -- --help");
  }
}

/** Looked at before the measurement: it takes minutes. */
function targetOf(file) {
  const path = resolve(file);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (written(text, [], environmentOf({})) === undefined) {
    throw new StepError(
      `${file} has no marks between which the table belongs`,
      "docs/reference/bench.md has them.",
    );
  }
  return { path, text };
}

function save(folder, name, value) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${JSON.stringify(value, undefined, 2)}\n`);
}

function styles() {
  const plain = (text) => text;
  if (!process.stdout.isTTY || process.env.NO_COLOR) return { good: plain, bad: plain, faint: plain };
  const style = (format) => (text) => styleText(format, text);
  return { good: style("green"), bad: style("red"), faint: style("dim") };
}

function verdictOf(rows) {
  const failed = rows.filter(({ error }) => error).length;
  const missed = rows.filter(({ ok, error }) => !ok && !error).length;
  const told = [`${rows.length - failed - missed} of ${rows.length} goals met`];
  if (missed > 0) told.push(`${missed} missed`);
  if (failed > 0) told.push(`${failed} could not be judged`);
  return told.join(", ");
}
