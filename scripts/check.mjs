// `npm run check`: formatting, lints, types, and what must never be in the repository. Changes nothing.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { crates } from "./crates.mjs";
import { docs } from "./docs.mjs";
import { dryRuns } from "./release.mjs";
import { main, output, root, run, StepError, step } from "./steps.mjs";
import { supplyChain } from "./supply-chain.mjs";

await main(async () => {
  await build();
  await step("rustfmt", () => run("cargo", ["fmt", "--all", "--check"]));
  await step("clippy", () => run("cargo", ["clippy", "--locked", "--all-targets", "--", "-D", "warnings"]));
  for (const [title, features] of [
    ["clippy for the core module", ["-p", "copilot-keyless-wasm", "--features", "core"]],
    ["clippy for the planning module", ["-p", "copilot-keyless-wasm", "--features", "plan"]],
    ["clippy for the network module", ["-p", "copilot-keyless-wasm", "--features", "net"]],
    ["clippy for the component", ["-p", "copilot-keyless-component"]],
  ]) {
    const args = ["clippy", "--locked", "--target", "wasm32-unknown-unknown", ...features];
    await step(title, () => run("cargo", [...args, "--", "-D", "warnings"]));
  }
  await step("rustdoc", () =>
    run("cargo", ["doc", "--locked", "--no-deps"], { env: { RUSTDOCFLAGS: "-D warnings" } }),
  );
  await docs();
  await supplyChain();
  await step("publishing, dry run", () => dryRuns());
  await step("Rust version", async () => checkRustVersion());
  await step("biome", () => run("biome", ["ci", "--colors=off", "--error-on-warnings", "."]));
  await step("tsc", () => run("tsc", ["-p", "tsconfig.json", "--noEmit", "--emitDeclarationOnly", "false"]));
  await step("tsc for the page", () => run("tsc", ["-p", "www/tsconfig.json"]));
  await step("tsc for tests", () => run("tsc", ["-p", "tests/tsconfig.json"]));
  await step("forbidden content", async () => checkContent());
});

/** No crate that users build may need a newer Rust than the crate says itself; clippy looks after the library calls. */
function checkRustVersion() {
  const [own, ...others] = crates((kinds) => kinds.some((kind) => kind !== "dev"));
  for (const { name, version, rust_version } of others) {
    if (rust_version && number(rust_version) > number(own.rust_version)) {
      throw new StepError(
        `${name} ${version} needs Rust ${rust_version}, more than rust-version in Cargo.toml`,
      );
    }
  }
}

function number(version) {
  const [major, minor] = version.split(".").map(Number);
  return major * 1000 + minor;
}

/** What no commit may hold: build outputs, download addresses, paths of somebody's machine. */
function checkContent() {
  const tracked = output("git", ["ls-files"])?.split("\n") ?? [];
  const outputs = tracked.filter((path) =>
    /^(pkg|pkg-plan|pkg-net|pkg-component|dist|www\/dist|target|node_modules|coverage)\//.test(path),
  );
  if (outputs.length > 0) throw new StepError(`Build outputs are in git: ${outputs.slice(0, 3).join(", ")}`);
  const home = new RegExp(["(?<![\\w.~])/(?:root|home/\\w+|Users/\\w+)", "/"].join(""));
  for (const path of tracked.filter((name) => /\.(rs|ts|mjs|js|json|toml|md|yml|sh)$/.test(name))) {
    const text = readFileSync(join(root, path), "utf8");
    if (path.endsWith("package-lock.json") && text.includes('"resolved": "http')) {
      throw new StepError(`${path} holds download addresses`);
    }
    if (home.test(text))
      throw new StepError(`${path} holds a path of somebody's machine: ${home.exec(text)[0]}`);
  }
}
