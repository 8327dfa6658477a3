// `npm run component`: builds the WebAssembly component, dist/component.wasm. `npm run component -- test`: also runs the hosts
// in examples/ on it, Python and Rust; `-- test python` or `-- test rust` one of them.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ifChanged, main, root, run, StepError, step } from "./steps.mjs";
import { setUp } from "./toolchain.mjs";
import { blankSourcePathsIn, withoutPaths } from "./wasm-paths.mjs";

/** Where the component is before it is put into dist/. */
export const COMPONENT = "pkg-component/component.wasm";

const CORE = "target/wasm32-unknown-unknown/release/copilot_keyless.wasm";

/** Builds the component, unless nothing has changed. */
export function component() {
  const inputs = ["src", "wit", "Cargo.toml", "Cargo.lock", "scripts/component.mjs", "scripts/wasm-paths.mjs"];
  return ifChanged("component", inputs, [COMPONENT], () => step("Rust core to a component", encode));
}

async function encode(onLine) {
  const target = ["--target", "wasm32-unknown-unknown", "--no-default-features", "--features", "component"];
  await run("cargo", ["build", "--locked", "--release", "--lib", ...target], { onLine, env: withoutPaths() });
  mkdirSync(join(root, "pkg-component"), { recursive: true });
  const optimized = join(root, "pkg-component/core.wasm");
  await run("wasm-opt", [...optimizations(), join(root, CORE), "-o", optimized], { onLine });
  blankSourcePathsIn(optimized);
  const { componentNew } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  writeFileSync(join(root, COMPONENT), await componentNew(readFileSync(optimized), []));
}

/** What wasm-pack passes to wasm-opt for the modules. */
function optimizations() {
  const cargo = readFileSync(join(root, "Cargo.toml"), "utf8");
  return JSON.parse(/^wasm-opt = (\[.*\])$/m.exec(cargo)[1]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const [command, _host, ...rest] = process.argv.slice(2);
    if (rest.length > 0 || (command !== undefined && command !== "test"))
      throw new StepError("Usage: npm run component [-- test [python | rust]]");
    await setUp();
    await component();
  });
}
