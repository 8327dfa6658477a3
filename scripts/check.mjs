// `npm run check`: formatting, lints, types, documentation, licences, known holes, and what must never be committed. Changes nothing.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { dryRuns } from "./release.mjs";
import { main, output, root, run, runStep, StepError, step, together } from "./steps.mjs";
import { cargoTools } from "./toolchain.mjs";

const WASM = "cargo clippy --locked --target wasm32-unknown-unknown";

const RUST = {
  rustfmt: "cargo fmt --all --check",
  clippy: "cargo clippy --locked --workspace --all-targets -- -D warnings",
  "clippy for the core module": `${WASM} -p copilot-keyless-wasm --features core -- -D warnings`,
  "clippy for the planning module": `${WASM} -p copilot-keyless-wasm --features plan -- -D warnings`,
  "clippy for the network module": `${WASM} -p copilot-keyless-wasm --features net -- -D warnings`,
  "clippy for the component": `${WASM} -p copilot-keyless-component -- -D warnings`,
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

await main(async () => {
  await build();
  await cargoTools("cargo-deny");
  await together(all(RUST, { RUSTDOCFLAGS: "-D warnings" }), all(JAVASCRIPT));
  await step("forbidden content", async () => checkContent());
  await step("publishing, dry run", () => dryRuns());
  await advisories("RustSec", "cargo-deny", ["--locked", "--workspace", "check", "advisories"]);
  await advisories("npm", "npm", ["audit", "--audit-level=high"]);
});

async function all(checks, env) {
  for (const [title, line] of Object.entries(checks)) await runStep(title, line, { env });
}

/** Known holes. Where nobody answers, that is said and no failure: the lists are not part of the sources. */
async function advisories(list, command, args) {
  const unreachable =
    /failed to fetch advisory database|audit endpoint returned an error|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/;
  await step(`advisories of ${list}`, () =>
    run(command, args).catch((error) => {
      if (!unreachable.test(error.message)) throw error;
      console.error(
        `  The advisories of ${list} cannot be reached from here; nothing was compared with them.`,
      );
    }),
  );
}

/** What no commit may hold: build outputs, download addresses, paths of somebody's machine. */
function checkContent() {
  const home = new RegExp(["(?<![\\w.~])/(?:root|home/\\w+|Users/\\w+)", "/"].join(""));
  for (const path of output("git", ["ls-files"])?.split("\n") ?? []) {
    if (/^(pkg[\w-]*|dist(-dev)?|www\/dist|target|node_modules|coverage)\//.test(path))
      throw new StepError(`A build output is in git: ${path}`);
    if (!/\.(rs|ts|mjs|js|json|toml|md|yml|sh)$/.test(path)) continue;
    const text = readFileSync(join(root, path), "utf8");
    if (path.endsWith("package-lock.json") && text.includes('"resolved": "http'))
      throw new StepError(`${path} holds download addresses`);
    if (home.test(text))
      throw new StepError(`${path} holds a path of somebody's machine: ${home.exec(text)[0]}`);
  }
}
