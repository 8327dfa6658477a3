// `npm run tool crates [-- <checks>]`: what makes the published crates fit for crates.io, and takes too
// long for `npm run check`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { output, root, runStep, StepError } from "./steps.mjs";
import { cargoTools, toolchains } from "./toolchain.mjs";

const TOKIO = "--manifest-path crates/tokio/Cargo.toml";
const GATEWAY = "--manifest-path crates/gateway/Cargo.toml";

/** The oldest Rust of the Copilot SDK, and of the native gateway. */
const NEWER = "1.94";

// The build of the Copilot SDK would download its runtime.
const env = { COPILOT_SKIP_CLI_DOWNLOAD: "1" };

const manifest = (file) => readFileSync(join(root, file), "utf8");

/** Returns the features of the crate for tokio. */
const features = () =>
  Object.keys(
    JSON.parse(output("cargo", `metadata --no-deps --format-version 1 ${TOKIO}`.split(" "))).packages[0]
      .features,
  );

const CHECKS = {
  /** Each feature set compiles with the oldest Rust that its manifest promises. */
  async msrv() {
    const [, oldest] = /^rust-version = "(.*)"/m.exec(manifest("crates/tokio/Cargo.toml"));
    await toolchains([oldest, NEWER]);
    await runStep(`core, Rust ${oldest}`, `cargo +${oldest} check --locked`, { env });
    for (const feature of ["", ...features()]) {
      const version = feature === "copilot" ? NEWER : oldest;
      const check = `cargo +${version} check --locked ${TOKIO}${feature && ` --features ${feature}`}`;
      await runStep(`crate for tokio, ${feature || "no feature"}, Rust ${version}`, check, { env });
    }
    await runStep(`native gateway, Rust ${NEWER}`, `cargo +${NEWER} check --locked ${GATEWAY}`, { env });
  },

  /** Each set of features compiles, and each feature alone without a warning. */
  async features() {
    await cargoTools("cargo-hack");
    // The Copilot SDK is large: alone, with each other feature, and with all by `npm run test:tokio`.
    const powerset = `cargo-hack hack check --feature-powerset --exclude-features copilot --no-dev-deps ${TOKIO}`;
    await runStep("each set of features", powerset, { env });
    for (const other of features().filter((feature) => feature !== "copilot")) {
      const pair = `cargo check --locked ${TOKIO} --features copilot,${other}`;
      await runStep(`the feature copilot with ${other}`, pair, { env });
    }
    const clippy = `cargo-hack hack clippy --each-feature --exclude-all-features ${TOKIO} -- -D warnings`;
    await runStep("clippy for each feature", clippy, { env });
  },

  /** docs.rs can build the documentation. */
  async docs() {
    await toolchains(["nightly"]);
    const doc = "cargo +nightly doc --locked --no-deps --all-features";
    const flags = { ...env, RUSTDOCFLAGS: "--cfg docsrs -D warnings" };
    for (const which of ["", TOKIO, GATEWAY])
      await runStep(`as docs.rs builds it: ${which || "the core"}`, `${doc} ${which}`.trimEnd(), {
        env: flags,
      });
  },

  /** What is published compiles. The others take the crates that are not released yet. */
  async package() {
    await runStep("the core as published", "cargo publish --workspace --dry-run --allow-dirty --locked", {
      env,
    });
    const core = `--config patch.crates-io.copilot-keyless.path="."`;
    await runStep("the crate for tokio as published", `cargo package --allow-dirty ${TOKIO} ${core}`, {
      env,
    });
    const both = `${core} --config patch.crates-io.copilot-keyless-tokio.path="crates/tokio"`;
    await runStep("the native gateway as published", `cargo package --allow-dirty ${GATEWAY} ${both}`, {
      env,
    });
  },

  /** Tries the interleavings of threads over the cache of the crate for tokio. */
  async model() {
    const flags = { RUSTFLAGS: "--cfg keyless_model", CARGO_TARGET_DIR: "crates/tokio/target/model" };
    const test = `cargo test --locked --quiet ${TOKIO} --lib provider::model`;
    const printed = await runStep("interleavings of threads", test, { env: { ...env, ...flags } });
    if (!/test result: ok\. [1-9]/.test(printed)) throw new StepError("No interleaving was tried");
  },

  /** Runs pure tests of the core in an interpreter that finds undefined behaviour. */
  async miri() {
    await toolchains(["nightly"], "miri");
    const test = "cargo +nightly miri test --locked --quiet --test core";
    for (const part of MIRI) {
      const printed = await runStep(`miri: ${part}`, `${test} ${part}`);
      if (!/test result: ok\. [1-9]/.test(printed)) throw new StepError(`No test of ${part} ran`);
    }
  },
};

/** Parts of the core's tests that end within a minute there, and read no file. */
const MIRI = ["schedule::table", "token::challenge::every_row", "lease::rules"];

export const CRATE_CHECKS = Object.keys(CHECKS);

/** Runs all checks, or those named. */
export async function crates(...names) {
  const unknown = names.find((name) => !Object.hasOwn(CHECKS, name));
  if (unknown) throw new StepError(`There is no check ${unknown}`, `The checks: ${CRATE_CHECKS.join(", ")}.`);
  for (const name of names.length > 0 ? names : CRATE_CHECKS) await CHECKS[name]();
}
