// `npm run release:check [-- v1.2.3]`: checks that this commit can be released, under that tag;
// with `--notes` it prints the release notes instead. The steps are in docs/design/releasing.md.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { main, output, root, run, StepError, step } from "./steps.mjs";

const read = (file) => readFileSync(join(root, file), "utf8");

/**
 * Packs everything that is published, and fails on a warning. Compiles packages to be `released`,
 * and checks that their registry does not have the version yet.
 */
export async function dryRuns({ released = false } = {}) {
  const printed = [await run("npm", [released ? "publish" : "pack", "--ignore-scripts", "--dry-run"])];
  // cargo follows the link that `npm run functions` creates, and finds the repository inside
  // itself.
  rmSync(join(root, "node_modules/copilot-keyless"), { recursive: true, force: true });
  const pack = ["package", "--allow-dirty", "--no-verify"];
  for (const manifest of publishedCrates()) {
    // The others depend on the crate of the root, which the registry has only after its own release.
    const others = [...pack, "--exclude-lockfile"];
    const how = manifest !== "Cargo.toml" ? others : released ? ["publish", "--dry-run"] : pack;
    printed.push(await run("cargo", [...how, "--locked", "--manifest-path", manifest]));
  }
  const known =
    /requires you to be logged in|ignoring (test|benchmark|example) |aborting upload due to dry run/;
  const warnings = printed.join("\n").match(/^(npm warn publish|warning:).*/gm) ?? [];
  const unknown = warnings.filter((line) => !known.test(line));
  if (unknown.length > 0) throw new StepError(`This would not be published: ${unknown.join("; ")}`);
}

function publishedCrates() {
  const manifests = output("git", ["ls-files", "Cargo.toml", "crates/*/Cargo.toml"]).split("\n");
  return manifests.filter((file) => !/^publish = false/m.test(read(file)));
}

/** Returns a version's section of the changelog, without its heading. */
export function notesOf(version, changelog = read("CHANGELOG.md")) {
  const section = changelog.split(/^## /m).find((text) => /[^[\]\s]+/.exec(text)?.[0] === version);
  return section?.slice(section.indexOf("\n")).trim();
}

/** The address of the `repository` in package.json: the only place to fill in; npm derives the rest. */
function addressOf(repository) {
  return (repository?.url ?? repository)?.replace(/^git\+|\.git$/g, "");
}

function checkSources({ version, repository }, tag = `v${version}`) {
  const problems = publishedCrates()
    .filter((file) => /^version = "(.*)"$/m.exec(read(file))?.[1] !== version)
    .map((file) => `${file} has another version than package.json`);
  if (tag !== `v${version}`) problems.push(`the tag ${tag} is not v${version}, the version in package.json`);
  if (!notesOf(version)) problems.push(`CHANGELOG.md has no section "## ${version}"`);
  const url = addressOf(repository);
  if (!url) problems.push('package.json has no "repository": npm checks the provenance against it');
  for (const file of url ? publishedCrates() : []) {
    if (!read(file).includes(`\nrepository = "${url}"\n`))
      problems.push(`${file} must have the repository of package.json: repository = "${url}"`);
  }
  for (const page of ["README.md", "docs/guides/get-started.md"])
    if (read(page).includes("no release on npm yet"))
      problems.push(`${page} says that there is no release yet`);
  if (output("git", ["status", "--porcelain"]) !== "") problems.push("some changes are not committed");
  if (problems.length > 0) throw new StepError(`This cannot be released: ${problems.join("; ")}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const manifest = JSON.parse(read("package.json"));
    const [argument] = process.argv.slice(2);
    if (argument === "--notes") return console.log(notesOf(manifest.version) ?? "");
    await step("versions, changelog, repository", async () => checkSources(manifest, argument));
    await build();
    await step("dry runs", () => dryRuns({ released: true }));
    console.log("Ready. docs/design/releasing.md has the next steps.");
  });
}
