// Builds the WebAssembly modules, each into its own folder of target/wasm, and the component into
// target/component.wasm.

import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ifChanged, root, runStep, together } from "./steps.mjs";
import { cargoTools, npmPackages, rust, WASM_TARGET } from "./toolchain.mjs";
import { RELEASE } from "./wasm-plugin.mjs";

/** The sources of the modules. */
export const RUST = "src crates/wasm Cargo.toml Cargo.lock scripts/toolchain.mjs scripts/wasm.mjs".split(" ");

export const COMPONENT = "target/component.wasm";

const OPTIONS = `--locked --target ${WASM_TARGET}`;
const BINDGEN = "--target web --no-typescript";

/**
 * Builds the development module, which has all features, without wasm-pack. Installs what it needs.
 */
export const devModule = () =>
  ifChanged("wasm-dev", RUST, ["target/wasm/dev/dev_bg.wasm"], async () => {
    await rust();
    const features = `--profile wasm-dev --features ${Object.keys(RELEASE).join()}`;
    const compile = `cargo build ${OPTIONS} -p copilot-keyless-wasm ${features}`;
    await together(npmPackages(), cargoTools("wasm-bindgen"), runStep("Rust, unoptimized", compile));
    const compiled = `target/${WASM_TARGET}/wasm-dev/copilot_keyless_wasm.wasm`;
    const out = "--out-dir target/wasm/dev --out-name dev";
    await runStep("Bindings for JavaScript", `wasm-bindgen ${compiled} ${BINDGEN} ${out}`);
  });

/** Builds the optimized modules of the package and the component. Installs what they need. */
export async function releaseModules() {
  await rust();
  await together(npmPackages(), cargoTools("wasm-bindgen", "wasm-pack"));
  await together(modules(), component());
}

/** One after another: all modules come from one crate, and cargo keeps only the last build of it. */
async function modules() {
  for (const name of Object.keys(RELEASE))
    await ifChanged(`wasm-${name}`, RUST, [`target/wasm/${name}/${name}_bg.wasm`], () => {
      const out = `--out-dir ../../target/wasm/${name} --out-name ${name} crates/wasm`;
      const pack = `wasm-pack build --release --mode no-install --no-pack ${BINDGEN} ${out}`;
      const line = `${pack} -- --locked --features ${name}`;
      return runStep(`Rust to WebAssembly: ${name}`, line, { env: remapped() });
    });
}

/** Builds the component from wit/copilot-keyless.wit. */
const component = () =>
  ifChanged("component", [...RUST, "crates/component", "wit"], [COMPONENT], async () => {
    const build = `cargo build ${OPTIONS} -p copilot-keyless-component --release`;
    await runStep("Rust to a component", build, { env: remapped() });
    const manifest = readFileSync(join(root, "crates/wasm/Cargo.toml"), "utf8");
    // The component is not compressed, so it inlines all.
    const flags = JSON.parse(/^wasm-opt = (\[.*\])$/m.exec(manifest)[1])
      .filter((flag) => !flag.includes("inline"))
      .join(" ");
    const core = `target/${WASM_TARGET}/release/copilot_keyless_component.wasm`;
    await runStep("wasm-opt", `wasm-opt ${flags} ${core} -o target/component.core.wasm`);
    const { componentNew } = await import("@bytecodealliance/jco-transpile/wasm-tools");
    const bytes = await componentNew(readFileSync(join(root, "target/component.core.wasm")), []);
    writeFileSync(join(root, COMPONENT), bytes);
  });

/**
 * Panics contain source paths. Makes them relative to this repository or cargo's folder, so that
 * the package contains no path of this machine.
 */
function remapped() {
  const cargo = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src/");
  const flags = [cargo, `${root}/`].map((folder) => `--remap-path-prefix=${folder}=`);
  return { CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f") };
}
