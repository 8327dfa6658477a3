// `npm run help`: lists the commands that CONTRIBUTING.md documents. `npm run tool <name>`: runs
// one of the rarer ones, which is below or a script of its own.

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { foreground, main, root, runStep } from "./steps.mjs";
import { cargoTools, rust } from "./toolchain.mjs";

const TOOLS = {
  /**
   * Fuzzes each parser, starting from the kept corpus. New inputs stay in target/fuzz-corpus. A
   * crash fails, and cargo-fuzz prints how to repeat it.
   */
  async fuzz(seconds = "20") {
    await cargoTools("cargo-fuzz");
    for (const target of readdirSync(join(root, "tests/fuzz/corpus"))) {
      const found = `target/fuzz-corpus/${target}`;
      mkdirSync(join(root, found), { recursive: true });
      // No sanitizers: they need a nightly compiler, and the core forbids unsafe code.
      const fuzz = `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none ${target} ${found} tests/fuzz/corpus/${target}`;
      await runStep(`fuzz ${target}`, `${fuzz} -- -max_total_time=${seconds} -timeout=5 -verbosity=0`);
    }
  },

  /** Fails on a breaking change of the crate's API that the version in Cargo.toml does not allow. */
  async semver() {
    await rust();
    await cargoTools("cargo-semver-checks");
    // Compares with this commit until there is a release. A deliberate breaking change moves it.
    const baseline = "d7440ba2c6e918e057133b46b80542f4abc4b42e";
    const check = "cargo semver-checks check-release --package copilot-keyless --baseline-rev";
    await runStep("public API of the crate", `${check} ${baseline}`);
  },
};

await main(async () => {
  const [name = "", ...args] = process.argv.slice(2);
  if (Object.hasOwn(TOOLS, name)) return TOOLS[name](...args);
  const script = join(root, "scripts", `${name}.mjs`);
  if (/^\w+$/.test(name) && existsSync(script)) return foreground(process.execPath, [script, ...args]);
  const rows = readFileSync(join(root, "CONTRIBUTING.md"), "utf8").matchAll(
    /^\| `((?:npm|bash) .*?)` \| (.*?) \|$/gm,
  );
  for (const [, command, text] of rows) console.log(`${command.padEnd(30)} ${text.replaceAll("`", "")}`);
  return name === "" ? 0 : 1;
});
