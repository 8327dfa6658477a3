// `npm run release:check`: whether what is here can be released, up to the last step. CONTRIBUTING.md has the steps.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { main, output, root, run, StepError, step } from "./steps.mjs";

const read = (file) => readFileSync(join(root, file), "utf8");

/** This version is there. */
const ALREADY = /already exists|previously published/;

/**
 * Publishes without publishing, to npm and to crates.io; what either warns of fails. A tree with changes is fine unless it is to be
 * `released`, and so is a version that is there already.
 */
export async function dryRuns({ released = false } = {}) {
  const npm = await attempt("npm", ["publish", "--dry-run", "--ignore-scripts"]);
  complain("npm", npm, /^npm (?:warn publish|error) (.*)$/gm, [
    /requires you to be logged in/,
    ...(released ? [] : [ALREADY, /A complete log|^code /]),
  ]);
  // cargo follows the link that `npm run functions` leaves, and finds the repository in itself.
  rmSync(join(root, "node_modules/copilot-keyless"), { recursive: true, force: true });
  // Compiled by the tests, but as a crate of its own only before a release.
  const cargo = await attempt("cargo", [
    "publish",
    "--dry-run",
    "--locked",
    ...(released ? [] : ["--allow-dirty", "--no-verify"]),
  ]);
  complain("cargo", cargo, /^(?:warning|error): (.*)$/gm, [
    // Tests stay in the repository.
    /^ignoring (?:test|benchmark) /,
    /^aborting upload due to dry run/,
    ...(released ? [] : [ALREADY]),
  ]);
}

/** What a command says, and its failure if it fails. */
async function attempt(command, args) {
  try {
    return { said: await run(command, args) };
  } catch (failure) {
    return { said: failure.message, failure };
  }
}

function complain(registry, { said, failure }, pattern, known) {
  const all = [...said.matchAll(pattern)].map(([, text]) => text);
  const found = all.filter((text) => !known.some((one) => one.test(text)));
  if (found.length > 0) throw new StepError(`${registry} would not take it: ${found.join("; ")}`);
  // A failure without a reason that is known.
  if (failure && !all.some((text) => ALREADY.test(text))) throw failure;
}

/** One version everywhere, told in the changelog, from a commit, with the repository that provenance is checked against. */
function checkSources() {
  const { version, repository } = JSON.parse(read("package.json"));
  const problems = [];
  if (/^version = "(.*)"$/m.exec(read("Cargo.toml"))[1] !== version)
    problems.push("Cargo.toml has another version than package.json");
  if (!read("CHANGELOG.md").includes(`\n## ${version}`))
    problems.push(`CHANGELOG.md has no section "## ${version}"`);
  if (!repository) problems.push('package.json has no "repository": npm checks the provenance against it');
  if (!/^repository = /m.test(read("Cargo.toml"))) problems.push("Cargo.toml has no repository");
  if (output("git", ["status", "--porcelain"]) !== "")
    problems.push("there are changes that are not committed");
  if (problems.length > 0) throw new StepError(`Not to be released: ${problems.join("; ")}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await step("version, changelog, repository", async () => checkSources());
    await build();
    await step("dry runs", () => dryRuns({ released: true }));
    console.log("Ready. CONTRIBUTING.md says what comes next.");
  });
}
