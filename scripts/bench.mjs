// `npm run bench`: measures every case beside its peers, in one run.

import { CASES } from "../benches/cases.mjs";
import { measure } from "../benches/measure.mjs";
import { command, from, names, writes } from "./command.mjs";
import { step } from "./steps.mjs";

const NAMES = CASES.map(({ name }) => name);

await command(
  "bench",
  `Measures the package and its peers side by side: five fresh processes of each, medians, in about five minutes. Goals judge ratios,
counts, sizes and whether somebody waits: times are those of this machine. Cases: ${NAMES.join(", ")}.`,
  [
    ["--quick", "one process of each (three to measure a start) and fewer turns; under a minute", false],
    ["--only <cases>", "only these cases, separated by commas", names("case", NAMES)],
    ["--runs <n>", "repeat n times: show the last figures, name the verdicts that differ", from(1), 1],
    writes("bench", "docs/reference/bench.md"),
    ["--strict", "exit code 1 also when a goal is missed, not only when a case cannot run"],
  ],
  async ({ quick, only, runs, strict }, signal) => {
    const { dataOf, differing, environmentOf, pageOf, textOf } = await import("../benches/report.mjs");
    const cases = CASES.filter(({ name }) => only?.includes(name) ?? true);
    const environment = environmentOf({ quick });
    const all = [];
    for (let n = 1; n <= runs; n += 1) all.push(await measure(cases, { quick, signal, step }));
    const rows = all.at(-1);
    environment.runs = { count: runs, differing: differing(all) };
    return {
      data: { ...environment, rows: dataOf(rows) },
      text: textOf(rows, environment.runs),
      page: () => pageOf(rows, environment),
      faults: rows
        .filter(({ error, ok }) => error || (strict && !ok))
        .map((row) => `${row.case}: ${row.error ?? `missed: ${row.goal}`}`),
    };
  },
);
