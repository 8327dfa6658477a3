// Builds the WebAssembly modules into target/wasm, one folder each, and the component into target/component.wasm.

import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { WASM_TARGET } from "./toolchain.mjs";
import { ifChanged, root, run, step, together } from "./steps.mjs";

/** What the modules are made of. */
export const RUST = ["src", "crates/wasm", "Cargo.toml", "Cargo.lock", "scripts/wasm.mjs", "scripts/toolchain.mjs"];

export const COMPONENT = "target/component.wasm";

/** The modules of the package, each a cargo feature of crates/wasm. */
export const MODULES = ["core", "plan", "net"];

const TARGET = join(root, "target", WASM_TARGET);

/** Compiles the development module, which has all surfaces. This needs nothing but cargo. */
export function compileDev(onLine) {
  const features = ["--features", MODULES.join()];
  const args = ["build", "--locked", "-p", "copilot-keyless-wasm", "--profile", "wasm-dev", ...features];
  return run("cargo", [...args, "--target", WASM_TARGET], { onLine });
}

/** Builds the development module from what changed, without wasm-pack. */
export function devModule() {
  return ifChanged("wasm-dev", RUST, ["target/wasm/dev/dev_bg.wasm"], () =>
    step("Rust to a WebAssembly module, unoptimized", async (onLine) => {
      await compileDev(onLine);
      const out = ["--out-dir", join(root, "target/wasm/dev"), "--out-name", "dev", "--no-typescript"];
      await run("wasm-bindgen", [join(TARGET, "wasm-dev/copilot_keyless_wasm.wasm"), "--target", "web", ...out]);
    }),
  );
}

/** Builds a module of some features by wasm-pack, optimized. */
export function releaseModule(name, features = name, env = {}) {
  return ifChanged(`wasm-${name}`, RUST, [`target/wasm/${name}/${name}_bg.wasm`], () =>
    step(`Rust to WebAssembly: ${name}`, (onLine) => {
      const out = ["--out-dir", join(root, "target/wasm", name), "--out-name", name];
      const args = ["build", "--target", "web", "--release", "--mode", "no-install", "--no-typescript", "--no-pack"];
      args.push(...out, "crates/wasm", "--", "--locked", "--features", features);
      return run("wasm-pack", args, { onLine, env: { ...withoutMachinePaths(), ...env } });
    }),
  );
}

/** Builds the modules of the package and the component. */
export async function releaseModules() {
  // The modules are builds of one crate and would overwrite each other; the network module shares little with the others.
  const apart = { CARGO_TARGET_DIR: join(root, "target/net") };
  await together(
    releaseModule("core").then(() => releaseModule("plan")),
    releaseModule("net", "net", apart).then(component),
  );
}

/** Builds the component by wit/copilot-keyless.wit. */
export function component() {
  return ifChanged("component", [...RUST, "crates/component", "wit"], [COMPONENT], () =>
    step("Rust to a component", async (onLine) => {
      const crate = ["-p", "copilot-keyless-component", "--target", WASM_TARGET];
      await run("cargo", ["build", "--locked", "--release", ...crate], { onLine, env: withoutMachinePaths() });
      const core = join(root, "target/component.core.wasm");
      const [, flags] = /^wasm-opt = (\[.*\])$/m.exec(readFileSync(join(root, "crates/wasm/Cargo.toml"), "utf8"));
      await run("wasm-opt", [...JSON.parse(flags), join(TARGET, "release/copilot_keyless_component.wasm"), "-o", core]);
      const { componentNew } = await import("@bytecodealliance/jco-transpile/wasm-tools");
      writeFileSync(join(root, COMPONENT), await componentNew(readFileSync(core), []));
    }),
  );
}

/** Panics name their source file: relative to this repository or to cargo's folder, not to this machine's root. */
function withoutMachinePaths() {
  const cargo = process.env.CARGO_HOME || join(homedir(), ".cargo");
  const flags = [`--remap-path-prefix=${cargo}/registry/src/=`, `--remap-path-prefix=${root}/=`];
  return { CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f") };
}
