// Builds the WebAssembly modules into target/wasm, a folder each, and the component into target/component.wasm.

import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ifChanged, root, run, step, together } from "./steps.mjs";
import { WASM_TARGET } from "./toolchain.mjs";
import { wasmFiles } from "./wasm-plugin.mjs";

/** What the modules are made of. */
export const RUST = [
  "src",
  "crates/wasm",
  "Cargo.toml",
  "Cargo.lock",
  "scripts/wasm.mjs",
  "scripts/toolchain.mjs",
];

export const COMPONENT = "target/component.wasm";

const compiled = (profile, name) =>
  join(root, "target", WASM_TARGET, profile, `copilot_keyless_${name}.wasm`);
const crate = (name) => ["--locked", "-p", `copilot-keyless-${name}`, "--target", WASM_TARGET];
const out = (name) => [
  "--target",
  "web",
  "--no-typescript",
  "--out-dir",
  join(root, "target/wasm", name),
  "--out-name",
  name,
];

/** Compiles the development module, which has all surfaces. This needs nothing but cargo. */
export function compileDev(onLine) {
  const features = ["--profile", "wasm-dev", "--features", "core,plan,net"];
  return run("cargo", ["build", ...crate("wasm"), ...features], { onLine });
}

/** Builds the development module from what changed, without wasm-pack. */
export const devModule = () =>
  ifChanged("wasm-dev", RUST, [wasmFiles("dev").wasm], () =>
    step("Rust to WebAssembly, unoptimized", async (onLine) => {
      await compileDev(onLine);
      await run("wasm-bindgen", [compiled("wasm-dev", "wasm"), ...out("dev")], { onLine });
    }),
  );

/** Builds an optimized module of some features, by wasm-pack. */
export const releaseModule = (name, features = name, env = {}) =>
  ifChanged(`wasm-${name}`, RUST, [wasmFiles(name).wasm], () =>
    step(`Rust to WebAssembly: ${name}`, (onLine) => {
      const args = ["build", "--release", "--mode", "no-install", "--no-pack", ...out(name), "crates/wasm"];
      const cargo = ["--", "--locked", "--features", features];
      return run("wasm-pack", [...args, ...cargo], { onLine, env: { ...remapped(), ...env } });
    }),
  );

/** Builds the modules of the package and the component. */
export const releaseModules = () =>
  together(
    releaseModule("core").then(() => releaseModule("plan")),
    // The modules are builds of one crate and would overwrite each other; this one shares least with the others.
    releaseModule("net", "net", { CARGO_TARGET_DIR: join(root, "target/net") }).then(component),
  );

/** Builds the component by wit/copilot-keyless.wit. */
export const component = () =>
  ifChanged("component", [...RUST, "crates/component", "wit"], [COMPONENT], () =>
    step("Rust to a component", async (onLine) => {
      await run("cargo", ["build", "--release", ...crate("component")], { onLine, env: remapped() });
      const [, flags] = /^wasm-opt = (\[.*\])$/m.exec(
        readFileSync(join(root, "crates/wasm/Cargo.toml"), "utf8"),
      );
      const core = join(root, "target/component.core.wasm");
      await run("wasm-opt", [...JSON.parse(flags), compiled("release", "component"), "-o", core], { onLine });
      const { componentNew } = await import("@bytecodealliance/jco-transpile/wasm-tools");
      writeFileSync(join(root, COMPONENT), await componentNew(readFileSync(core), []));
    }),
  );

/** Panics name source files: relative to this repository and to cargo's folder, so that nothing names this machine. */
function remapped() {
  const cargo = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src/");
  const flags = [cargo, `${root}/`].map((folder) => `--remap-path-prefix=${folder}=`);
  return { CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f") };
}
