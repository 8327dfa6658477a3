// Collects the licences of others' work in the package: npm packages bundled into its JavaScript, crates compiled into its
// WebAssembly. deny.toml says which licences crates may have.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { output, root, StepError } from "./steps.mjs";

/** The files with the texts that a licence asks for. Where there is a choice, MIT is taken. */
const TEXTS = [
  [/Unicode-3\.0/, [/^LICENSE-MIT/i, /^LICENSE-UNICODE/i]],
  [/\bOR MIT\b|\bMIT OR\b/, [/^LICENSE-MIT/i]],
  [/^(MIT|ISC|Apache-2\.0)$/, [/^LICENSE(-MIT|-APACHE)?(\.\w+)?$/i]],
];

/** Returns the text of THIRD-PARTY-LICENSES.txt; `inputs` are the paths of the modules that were bundled. */
export function thirdPartyLicenses(inputs) {
  const names = new Set(
    inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const manifests = [...names].sort().map((name) => join(root, "node_modules", name, "package.json"));
  const packages = manifests.map((manifest) => ({ manifest, ...JSON.parse(readFileSync(manifest, "utf8")) }));
  // Most texts differ only in their owners: each stands once, below those that it is for.
  const groups = new Map();
  for (const { title, text } of [...packages, ...compiledCrates()].flatMap(texts).concat(standardLibrary())) {
    const owners = text.includes("Apache License")
      ? []
      : (text.match(/^\s*Copyright (?:\(c\)|©|\d).*$/gim) ?? []);
    const body = owners.reduce((rest, line) => rest.replace(line, ""), text);
    const key = body
      .replace(/(The )?(MIT|ISC) License( \(MIT\))?/i, "")
      .replace(/\W+/g, "")
      .toLowerCase();
    if (!groups.has(key)) groups.set(key, { names: [], body: body.trim() });
    groups.get(key).names.push([title, ...owners.map((line) => line.trim())].join("\n    "));
  }
  const parts = [...groups.values()].map(({ names, body }) => `${names.join("\n")}\n\n${body}\n`);
  return parts
    .join(`\n${"-".repeat(80)}\n\n`)
    .replaceAll("\r", "")
    .replace(/\n{3,}/g, "\n\n");
}

/** Returns the crates that are compiled into the WebAssembly modules and the component. Macros run in the compiler. */
export function compiledCrates() {
  const options = ["--locked", "--all-features"];
  const ours = ["-p", "copilot-keyless-wasm", "-p", "copilot-keyless-component"];
  const compiled = ["--target", "wasm32-unknown-unknown", "-e", "normal,no-proc-macro", "--prefix", "none"];
  const tree = output("cargo", ["tree", ...options, ...ours, ...compiled, "--format", "{p}"]).split(
    /(?: \(.*\))?\n/,
  );
  const { packages } = JSON.parse(output("cargo", ["metadata", ...options, "--format-version", "1"]));
  return packages
    .filter(({ name, version, source }) => source && tree.includes(`${name} v${version}`))
    .map((one) => ({ ...one, manifest: one.manifest_path, kind: ", a Rust crate" }));
}

/** Not every installation of Rust carries its licence; the text is that of this package. */
function standardLibrary() {
  const [, version] = output("rustc", ["--version"]).split(" ");
  const text = readFileSync(join(root, "LICENSE"), "utf8").replace(
    /^Copyright .*/m,
    "Copyright (c) The Rust Project Contributors",
  );
  return { title: `std ${version}, the Rust standard library (MIT OR Apache-2.0)`, text };
}

function texts({ name, version, kind = "", license, manifest }) {
  const title = `${name} ${version}${kind} (${license})`;
  const [, wanted] = TEXTS.find(([pattern]) => pattern.test(license)) ?? [];
  if (!wanted) throw new StepError(`The licence of ${title} is not known`, "Add it to scripts/licenses.mjs.");
  return wanted.map((pattern) => {
    const file = readdirSync(dirname(manifest)).find((one) => pattern.test(one));
    if (!file) throw new StepError(`${title} comes without the text of its licence`);
    return { title, text: readFileSync(join(dirname(manifest), file), "utf8") };
  });
}
