// `npm run tool fuzz [seconds]`: fuzzes each parser for some seconds, starting from the kept
// corpus. New inputs stay in target/fuzz-corpus. A crash fails, and cargo-fuzz prints how to repeat
// it.

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
    // No sanitizers: they need a nightly compiler, and the core forbids unsafe code.
    const fuzz = `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none ${target} ${found} tests/fuzz/corpus/${target}`;
    await runStep(`fuzz ${target}`, `${fuzz} -- -max_total_time=${seconds} -timeout=5 -verbosity=0`);
  }
});
