// `npm run check`: checks formatting, lints, types, documentation, licences, security advisories,
// and files that must not be committed. Changes nothing.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { dryRuns } from "./release.mjs";
import { main, output, root, runStep, StepError, step, together } from "./steps.mjs";
import { cargoTools, npmPackages } from "./toolchain.mjs";
import { RELEASE } from "./wasm-plugin.mjs";

const WASM = "cargo clippy --locked --target wasm32-unknown-unknown";
const modules = Object.keys(RELEASE).map((name) => [
  `clippy for the module ${name}`,
  `${WASM} -p copilot-keyless-wasm --features ${name} -- -D warnings`,
]);
const TOKIO = "--manifest-path crates/tokio/Cargo.toml";
// Without the Copilot SDK, which takes minutes to compile: the tests of the crate do that.
const FEATURES = "--features azure-core,object-store,reqwest-middleware,tower";
const GATEWAY = "--manifest-path crates/gateway/Cargo.toml";

const RUST = {
  rustfmt: "cargo fmt --all --check",
  clippy: "cargo clippy --locked --workspace --all-targets -- -D warnings",
  ...Object.fromEntries(modules),
  "clippy for the component": `${WASM} -p copilot-keyless-component -- -D warnings`,
  "rustfmt of the crate for tokio": `cargo fmt ${TOKIO} --check`,
  "clippy of the crate for tokio": `cargo clippy --locked ${TOKIO} ${FEATURES} --all-targets -- -D warnings`,
  "rustdoc of the crate for tokio": `cargo doc --locked ${TOKIO} --no-deps ${FEATURES}`,
  "cargo deny of the crate for tokio": `cargo-deny --locked ${TOKIO} --all-features check bans licenses sources`,
  "rustfmt of the native gateway": `cargo fmt ${GATEWAY} --check`,
  "clippy of the native gateway": `cargo clippy --locked ${GATEWAY} --all-targets -- -D warnings`,
  "cargo deny of the native gateway": `cargo-deny --locked ${GATEWAY} check bans licenses sources`,
  rustdoc: "cargo doc --locked --no-deps",
  "cargo deny": "cargo-deny --locked --workspace check bans licenses sources",
};

const JAVASCRIPT = {
  biome: "biome ci --colors=off --error-on-warnings .",
  tsc: "tsc -p tsconfig.json --noEmit --emitDeclarationOnly false",
  "tsc for the page": "tsc -p www/tsconfig.json",
  "tsc for tests": "tsc -p tests/tsconfig.json",
  TypeDoc: "npm run --silent docs",
};

const ADVISORIES = {
  "advisories of RustSec": "cargo-deny --locked --workspace check advisories",
  "advisories of npm": "npm audit --audit-level=high",
};
const UNREACHABLE =
  /failed to fetch advisory database|audit endpoint returned an error|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/;

/** Git commands that find files and texts that must not be committed. */
const FORBIDDEN = {
  "a build output": "ls-files dist www/dist pkg* target node_modules coverage *.wasm",
  "a path of somebody's machine": String.raw`grep -lP (?<![\w.~])/(root|home/\w+|Users/\w+)/ -- *.rs *.ts *.mjs *.js *.json *.toml *.md *.yml`,
  "a download address": 'grep -lE "resolved":.*"http -- *package-lock.json',
};

await main(async () => {
  await npmPackages();
  await build();
  await cargoTools("cargo-deny");
  // The build of the Copilot SDK would download its runtime.
  const env = { RUSTDOCFLAGS: "-D warnings", COPILOT_SKIP_CLI_DOWNLOAD: "1" };
  await together(all(RUST, env), all(JAVASCRIPT));
  await step("forbidden content", async () => checkContent());
  await step("publishing, dry run", () => dryRuns());
  // Advisories are not part of the sources: warn when their server cannot be reached, do not fail.
  for (const [title, line] of Object.entries(ADVISORIES))
    await runStep(title, line).catch((error) => {
      if (!UNREACHABLE.test(error.message)) throw error;
      console.error("  They cannot be reached from here; nothing was compared with them.");
    });
});

async function all(checks, env) {
  for (const [title, line] of Object.entries(checks)) await runStep(title, line, { env });
}

function checkContent() {
  for (const [what, search] of Object.entries(FORBIDDEN)) {
    const found = output("git", search.split(" "));
    if (found) throw new StepError(`In git there is ${what}`, found);
  }
  for (const path of output("git", ["ls-files", "*package-lock.json"]).split("\n")) checkLock(path);
}

/**
 * Checks that a lockfile names the optional packages of every platform, not only those that the
 * registry offered.
 */
function checkLock(path) {
  const { packages } = JSON.parse(readFileSync(join(root, path), "utf8"));
  const optional = Object.values(packages).flatMap((one) => Object.keys(one.optionalDependencies ?? {}));
  const missing = optional.find((name) => !packages[`node_modules/${name}`]);
  if (missing) throw new StepError(`${path} lacks ${missing}`, "Install from a registry that offers it.");
}
