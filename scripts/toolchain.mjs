// Installs build dependencies other than Node and Rust: npm packages, the wasm target and cargo
// tools, each on first use.

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { ifChanged, output, root, run, runStep, StepError, step } from "./steps.mjs";

export const WASM_TARGET = "wasm32-unknown-unknown";

/** wasm-bindgen's command-line tool must have exactly the version of the crate. */
const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
const [, BINDGEN] = /name = "wasm-bindgen"\nversion = "(.*)"/.exec(lock);

/** The versions of the cargo tools, the arguments of `cargo install`, and those that ask for the version. */
const TOOLS = {
  // Without TLS, which only the tool's browser tests need.
  "wasm-bindgen": { version: BINDGEN, install: [`wasm-bindgen-cli@${BINDGEN}`, "--no-default-features"] },
  "wasm-pack": { version: "0.15.1" },
  "cargo-deny": { version: "0.20.2" },
  "cargo-fuzz": { version: "0.13.2" },
  "cargo-hack": { version: "0.6.46", ask: ["hack", "--version"] },
  "cargo-semver-checks": { version: "0.51.0" },
};

/** Tools are cached per user and version, so that other clones find them. */
const caches = process.env.XDG_CACHE_HOME ?? process.env.LOCALAPPDATA ?? join(homedir(), ".cache");
const home = join(caches, "copilot-keyless/tools");

/** Installs the npm packages of the lockfile. */
export function npmPackages() {
  onPath(join(root, "node_modules/.bin"));
  const hint = "Check the network and the npm registry that `npm config get registry` names.";
  return ifChanged("npm", ["package-lock.json"], ["node_modules/.package-lock.json"], () =>
    runStep("npm packages", "npm ci --no-audit --no-fund", { hint }),
  );
}

/** Checks that Rust is installed, and adds its wasm target. */
export async function rust() {
  const libraries = output("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]);
  if (!libraries) throw new StepError("Rust is not installed", "Install it with rustup (https://rustup.rs).");
  if (existsSync(libraries)) return;
  const hint = `Add the target ${WASM_TARGET} to your Rust installation.`;
  await runStep(`Rust target ${WASM_TARGET}`, `rustup target add ${WASM_TARGET}`, { hint });
}

/** Installs other toolchains of Rust, or a component of one. */
export async function toolchains(versions, component) {
  const hint = "They are installed by rustup (https://rustup.rs).";
  for (const version of versions) {
    const what = component
      ? ["run", version, "cargo", component, "--version"]
      : ["run", version, "rustc", "--version"];
    if (output("rustup", what)) continue;
    const add = `rustup toolchain install ${version} --profile minimal --no-self-update`;
    await runStep(`Rust ${version}`, component ? `${add} --component ${component},rust-src` : add, { hint });
  }
}

/** Puts cargo tools on this process's PATH. Installs missing ones. */
export async function cargoTools(...names) {
  // Install one after another, because they share build outputs. Debug builds, because compiling
  // takes longer than running.
  const env = { CARGO_TARGET_DIR: join(root, "target/tools"), CARGO_PROFILE_DEV_DEBUG: "0" };
  const hint = "Check the network and that a C compiler is installed (cc, or Build Tools on Windows).";
  for (const name of names) {
    const { version, install = [`${name}@${version}`], ask = ["--version"] } = TOOLS[name];
    const folder = join(home, `${name}-${version}`);
    onPath(join(folder, "bin"));
    if (output(name, ask)?.includes(version)) continue;
    const args = ["install", "--locked", "--debug", "--root", folder, ...install];
    await step(`${name} ${version}`, (onLine) => run("cargo", args, { onLine, env, hint }));
  }
}

function onPath(folder) {
  if (!process.env.PATH.split(delimiter).includes(folder))
    process.env.PATH = folder + delimiter + process.env.PATH;
}
