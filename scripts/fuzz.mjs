// `npm run fuzz [seconds]`: throws bytes at the parsers, for some seconds each, from the kept corpus on. What it finds new
// stays in target/fuzz-corpus; a crash fails, and cargo-fuzz says how to repeat it.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { main, root, run, StepError, step } from "./steps.mjs";
import { cargoFuzz, checkNode } from "./toolchain.mjs";

await main(async () => {
  const seconds = Number(process.argv[2] ?? 20);
  if (!(seconds > 0)) throw new StepError("Give a number of seconds", "npm run fuzz -- 20");
  checkNode();
  await cargoFuzz();
  for (const file of readdirSync(join(root, "tests/fuzz/targets"))) {
    const target = file.replace(/\.rs$/, "");
    const found = join(root, "target/fuzz-corpus", target);
    mkdirSync(found, { recursive: true });
    if (target === "endpoint") seedFromTable(found);
    // The sanitizers need a nightly compiler; the core forbids unsafe code, so they would have nothing to find.
    const args = ["fuzz", "run", "--fuzz-dir", "tests/fuzz", "--sanitizer", "none", target, found];
    const limits = [`-max_total_time=${seconds}`, "-timeout=5", "-verbosity=0"];
    await step(`fuzz ${target}`, (onLine) =>
      run("cargo", [...args, `tests/fuzz/corpus/${target}`, "--", ...limits], { onLine }),
    );
  }
});

/** Every row of the endpoint table is a start, so that the kept corpus need not repeat them. */
function seedFromTable(folder) {
  const rows = JSON.parse(readFileSync(join(root, "tests/tables/endpoints.json"), "utf8"));
  for (const [index, { input }] of rows.entries()) writeFileSync(join(folder, `row-${index}`), input);
}
