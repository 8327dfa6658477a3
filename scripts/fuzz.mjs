// `npm run tool fuzz [seconds]`: throws bytes at the parsers, for some seconds each, starting from the kept corpus. New finds
// stay in target/fuzz-corpus; a crash fails, and cargo-fuzz says how to repeat it.

import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { main, root, runStep } from "./steps.mjs";
import { cargoTools } from "./toolchain.mjs";

await main(async () => {
  const seconds = Number(process.argv[2] ?? 20);
  await cargoTools("cargo-fuzz");
  for (const target of readdirSync(join(root, "tests/fuzz/corpus"))) {
    const found = `target/fuzz-corpus/${target}`;
    mkdirSync(join(root, found), { recursive: true });
    // The sanitizers need a nightly compiler; the core forbids unsafe code, so they would have nothing to find.
    const fuzz = `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none ${target} ${found} tests/fuzz/corpus/${target}`;
    await runStep(`fuzz ${target}`, `${fuzz} -- -max_total_time=${seconds} -timeout=5 -verbosity=0`);
  }
});
