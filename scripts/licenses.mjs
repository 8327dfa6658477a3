// Collects the licences of third-party code in the package: npm packages bundled into its
// JavaScript, and crates compiled into its WebAssembly. deny.toml lists the allowed licences of
// crates.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { output, root, StepError } from "./steps.mjs";

const OWNER = /^ *Copyright (\(c\)|©|\d).*\n+/gim;

/** Returns the text of THIRD-PARTY-LICENSES.txt. `inputs` are the paths of the bundled modules. */
export function thirdPartyLicenses(inputs) {
  const works = [...bundledPackages(inputs), ...compiledCrates()];
  // Print texts that differ only in their copyright owners once, below all their owners.
  const owned = new Map();
  for (const { title, text } of [...works.flatMap(texts), standardLibrary()]) {
    const owners = (text.match(OWNER) ?? []).map((line) => `    ${line.trim()}\n`).join("");
    const body = text
      .replace(OWNER, "")
      .trim()
      .replace(/\n{3,}/g, "\n\n");
    owned.set(body, `${owned.get(body) ?? ""}${title}\n${owners}`);
  }
  const line = `\n${"-".repeat(80)}\n\n`;
  return [...owned].map(([body, names]) => `${names}\n${body}\n`).join(line);
}

function bundledPackages(inputs) {
  const folders = inputs.flatMap((path) => /^.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(path) ?? []);
  return [...new Set(folders)].sort().map((folder) => {
    const manifest = join(folder, "package.json");
    const { name, version, license } = JSON.parse(readFileSync(manifest, "utf8"));
    if (["MIT", "ISC", "Apache-2.0", "BSD-3-Clause"].includes(license))
      return { name, version, license, manifest };
    throw new StepError(`May ${name} be bundled? Its licence is ${license}`);
  });
}

/**
 * Returns the crates in the WebAssembly modules and the component. Macro crates run only in the
 * compiler.
 */
export function compiledCrates() {
  const ours = "-p copilot-keyless-wasm -p copilot-keyless-component --target wasm32-unknown-unknown";
  const options = `tree --locked --all-features ${ours} -e normal,no-proc-macro --prefix none --format {p}`;
  const tree = output("cargo", options.split(" ")).split(/(?: \(.*\))?\n/);
  const { packages } = JSON.parse(
    output("cargo", ["metadata", "--locked", "--all-features", "--format-version=1"]),
  );
  return packages
    .filter(({ name, version, source }) => source && tree.includes(`${name} v${version}`))
    .map((one) => ({ ...one, manifest: one.manifest_path, kind: ", a Rust crate" }));
}

/** Uses the licence text of this package, because not every Rust installation contains its own. */
function standardLibrary() {
  const [, version] = output("rustc", ["--version"]).split(" ");
  const title = `std ${version}, the Rust standard library (MIT OR Apache-2.0)`;
  return { title, text: mitOf("The Rust Project Contributors") };
}

/** Returns the text of the MIT licence with another holder. */
function mitOf(holder) {
  return readFileSync(join(root, "LICENSE"), "utf8").replace(/^Copyright .*/m, `Copyright (c) ${holder}`);
}

/**
 * Returns the licence texts in a package's folder. Takes MIT where there is a choice, with the authors
 * as its holders where the folder has no text.
 */
function texts({ name, version, kind = "", license, manifest, authors = [] }) {
  const title = `${name} ${version}${kind} (${license})`;
  const files = readdirSync(dirname(manifest)).filter((file) => /^licen[cs]e/i.test(file));
  const chosen = files.filter((file) => /-(mit|unicode)/i.test(file));
  if (files.length === 0 && /\bMIT\b/.test(license) && authors.length > 0)
    return [{ title, text: mitOf(authors.map((author) => author.replace(/ <.*/, "")).join(", ")) }];
  if (files.length === 0) throw new StepError(`${name} comes without the text of its licence`);
  return (chosen.length > 0 ? chosen : files).map((file) => ({
    title,
    text: readFileSync(join(dirname(manifest), file), "utf8").replaceAll("\r", ""),
  }));
}
