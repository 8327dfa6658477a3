// What the measuring commands share (bench, faults, scale, soak, hostile): options, Ctrl-C, results, exit codes, pages of the docs.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { build } from "./build.mjs";
import { main, root } from "./steps.mjs";
import { checkNode, npmPackages } from "./toolchain.mjs";

/**
 * Runs a command: parses its options, builds the package, then calls `run` with the options and a signal that Ctrl-C aborts. `options` has
 * rows of Commander's `[flags, help, default, parse]`; what `parse` throws is shown beside the option.
 *
 * `run` returns its `data` (for `--json` and target/<name>.json) and the `text` to print instead (by default, the figures of `data`), a
 * sentence for each of its `faults` (exit code 1), a sentence for when there are none (`good`), and the content of a page (`page`).
 * Ctrl-C gives exit code 130.
 */
export const command = (name, about, options, run) =>
  main(async () => {
    checkNode();
    await npmPackages();
    const { Command, InvalidArgumentError } = await import("commander");
    const shown = name === "bench" ? name : `tool ${name}`;
    const program = new Command(`npm run ${shown} --`).description(about);
    program.showHelpAfterError(`(npm run ${shown} -- --help tells more)`);
    for (const [flags, help, value, parse] of [
      ...options,
      ["--json", "print the figures as JSON on stdout"],
    ]) {
      const parsed = (...given) => {
        try {
          return parse(...given);
        } catch ({ message }) {
          throw new InvalidArgumentError(message);
        }
      };
      program.option(flags, help, ...(parse ? [parsed] : []), value);
    }
    const values = program.parse().opts();
    await build();
    const interrupted = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interrupted.abort());
    const result = await run(values, interrupted.signal).catch((error) => {
      if (!interrupted.signal.aborted) throw error;
    });
    const { data, text, faults = [], good, page } = result ?? {};
    const json = JSON.stringify(data, undefined, 2);
    if (data) writeFileSync(join(root, `target/${name}.json`), json);
    if (data)
      console.log(values.json ? json : (text ?? inspect(data, { depth: 5, compact: 4, breakLength: 120 })));
    for (const fault of faults) console.error(`✗ ${fault}`);
    if (interrupted.signal.aborted) {
      console.error("Interrupted before the end.");
      return 130;
    }
    for (const file of values.write ?? [])
      writeFileSync(file, placed(readFileSync(file, "utf8"), name, page));
    if (faults.length === 0 && good) console.error(`✓ ${good}`);
    return faults.length === 0 ? 0 : 1;
  });

/** Parses a whole number from `least` on. */
export const from = (least) => (text) => {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`It must be a whole number from ${least} on.`);
};

/** Parses names, separated by commas, of those that `known` has. The option may be repeated. */
export const names =
  (what, known) =>
  (text, before = []) => {
    const given = text.split(",").map((name) => name.trim());
    const unknown = given.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new Error(`There is no ${what} "${unknown}". There are: ${known.join(", ")}.`);
    return [...before, ...given];
  };

/** The option `--write`. Pages are checked before the measurement, which takes minutes. */
export const writes = (name, page) => [
  "--write <file>",
  `put the tables between the marks of a Markdown file, such as ${page}; may be repeated`,
  [],
  (file, files) => placed(readFileSync(file, "utf8"), name, () => "") && [...files, file],
];

/** A text with new content between its marks. */
export function placed(text, name, page) {
  const begin = `<!-- written by scripts/${name}.mjs -->`;
  const end = `<!-- end of scripts/${name}.mjs -->`;
  const marks = new RegExp(`(?<=${begin}\n).*(?=\n${end})`, "s");
  if (!marks.test(text)) throw new Error(`The file has no marks: "${begin}", and "${end}" below.`);
  return text.replace(marks, () => `\n${page()}\n`);
}
