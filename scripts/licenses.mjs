// Collects the licences of others' work in the package: npm packages bundled into its JavaScript, crates compiled into its
// WebAssembly. deny.toml says which licences crates may have.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { output, root, StepError } from "./steps.mjs";

/** Returns the text of THIRD-PARTY-LICENSES.txt; `inputs` are the paths of the modules that were bundled. */
export function thirdPartyLicenses(inputs) {
  const names = new Set(
    inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const manifests = [...names].sort().map((name) => join(root, "node_modules", name, "package.json"));
  const packages = manifests.map((manifest) => ({ manifest, ...JSON.parse(readFileSync(manifest, "utf8")) }));
  const unknown = packages.find(({ license }) => !["MIT", "ISC", "Apache-2.0"].includes(license));
  if (unknown) throw new StepError(`May ${unknown.name} be bundled? Its licence is ${unknown.license}`);
  // Texts that differ in nothing but their owners stand once, below those.
  const titles = new Map();
  for (const { title, text } of [...packages, ...compiledCrates()].flatMap(texts).concat(standardLibrary())) {
    const owners = text.includes("Apache License")
      ? []
      : (text.match(/^ *Copyright (\(c\)|©|\d).*\n+/gim) ?? []);
    const body = owners
      .reduce((rest, line) => rest.replace(line, ""), text)
      .replace(/\n{3,}/g, "\n\n")
      .trim();
    titles.set(body, [
      ...(titles.get(body) ?? []),
      [title, ...owners.map((line) => line.trim())].join("\n    "),
    ]);
  }
  return [...titles]
    .map(([body, names]) => `${names.join("\n")}\n\n${body}\n`)
    .join(`\n${"-".repeat(80)}\n\n`);
}

/** Returns the crates that are compiled into the WebAssembly modules and the component. Macros run in the compiler. */
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

/** Not every installation of Rust carries its licence; the text is that of this package. */
function standardLibrary() {
  const [, version] = output("rustc", ["--version"]).split(" ");
  const text = readFileSync(join(root, "LICENSE"), "utf8");
  const title = `std ${version}, the Rust standard library (MIT OR Apache-2.0)`;
  return { title, text: text.replace(/^Copyright .*/m, "Copyright (c) The Rust Project Contributors") };
}

/** The texts in a package's folder. Where there is a choice, MIT is taken. */
function texts({ name, version, kind = "", license, manifest }) {
  const files = readdirSync(dirname(manifest)).filter((file) => /^licen[cs]e/i.test(file));
  const chosen = files.filter((file) => /-(mit|unicode)/i.test(file));
  if (files.length === 0) throw new StepError(`${name} comes without the text of its licence`);
  return (chosen.length > 0 ? chosen : files).map((file) => ({
    title: `${name} ${version}${kind} (${license})`,
    text: readFileSync(join(dirname(manifest), file), "utf8").replaceAll("\r", ""),
  }));
}
