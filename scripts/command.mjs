// Shared by `npm run live` and the measuring commands: options, Ctrl-C, results, exit codes, and
// pages of the docs.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { build } from "./build.mjs";
import { root, StepError } from "./steps.mjs";
import { npmPackages } from "./toolchain.mjs";

/** How a command is called. */
const usageOf = (name) => `npm run ${["bench", "live", "workers"].includes(name) ? name : `tool ${name}`}`;

/**
 * Runs a command: parses its `options`, each a list of arguments for Commander's `option`, builds
 * the package, then calls `run` with the values and a signal that Ctrl-C aborts. `run` itself
 * imports modules that need the built package. Returns the exit code: 130 after Ctrl-C.
 *
 * `run` returns `data`, for `--json` and target/<name>.json; `text` to print instead, by default
 * the figures of `data`; `faults`, one sentence each (exit code 1); `good`, a sentence to print
 * without faults; and `page()`, the content for `--write`.
 *
 * `prepare` builds what `run` needs; by default the publishable package.
 */
export async function command(name, { about, options, run, prepare = build }, args) {
  await npmPackages();
  const { Command } = await import("commander");
  const usage = `${usageOf(name)} --`;
  const program = new Command(usage).description(about);
  program.showHelpAfterError(`(${usage} --help lists the options)`);
  for (const option of [...options, ["--json", "print the figures as JSON"]]) program.option(...option);
  const { json, write = [], ...values } = program.parse(args, { from: "user" }).opts();
  await prepare();
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interrupted.abort());
  const result = await run(values, interrupted.signal).catch((error) => {
    if (!interrupted.signal.aborted) throw error;
  });
  const { data, text, faults = [], good, page } = result ?? {};
  if (data) {
    const figures = JSON.stringify(data, undefined, 2);
    writeFileSync(join(root, `target/${name}.json`), figures);
    console.log(json ? figures : (text ?? inspect(data, { depth: 5, compact: 4, breakLength: 120 })));
  }
  for (const fault of faults) console.error(`✗ ${fault}`);
  if (interrupted.signal.aborted) {
    console.error("Interrupted before the end.");
    return 130;
  }
  for (const file of write) writeFileSync(file, placed(file, name, page));
  if (faults.length > 0) return 1;
  if (good) console.error(`✓ ${good}`);
}

/** Parses a whole number that is at least `least`. */
export const from = (least) => (text) => {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new StepError(`${text} is not a whole number from ${least} on`);
};

/** Parses names separated by commas. An option with this parser may be repeated. */
export const names =
  (what, known) =>
  (text, before = []) => {
    const given = text.split(",").map((name) => name.trim());
    const unknown = given.find((name) => !known.includes(name));
    if (unknown === undefined) return [...before, ...given];
    throw new StepError(`There is no ${what} "${unknown}"`, `There are: ${known.join(", ")}`);
  };

/** The option `--seed`. */
export const seed = (what) => ["--seed <n>", `${what} (default: drawn and shown)`, from(0), Date.now() % 1e6];

/** The option `--write`. Checks the page before the measurement, which takes minutes. */
export const writes = (name) => [
  "--write <file>",
  `put the tables between the marks of a Markdown file, such as docs/reference/${name}.md; may be repeated`,
  (file, before = []) => placed(file, name, () => "") && [...before, file],
];

/** Replaces the text between the marks of a file. */
export function placed(file, name, page) {
  const begin = `<!-- written by ${usageOf(name)} -->`;
  const end = `<!-- end of ${usageOf(name)} -->`;
  const marks = new RegExp(`(?<=${begin}\n).*(?=\n${end})`, "s");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (marks.test(text)) return text.replace(marks, () => `\n${page()}\n`);
  throw new StepError(`${file} has no marks for the tables`, `They are ${begin} and ${end}`);
}
