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
  // Most differ in nothing but their owners: each text stands once, below those that it is for.
  const groups = new Map();
  for (const { title, text } of [...npmPackages(inputs), ...compiledCrates().flatMap((crate) => texts(crate, ", a Rust crate")), standardLibrary()]) {
    const own = /^\s*Copyright (?:\(c\)|©|\d).*\n/gim;
    const apache = text.includes("Apache License");
    const body = (apache ? text : text.replace(own, "").replace(/^\s*(The )?(MIT|ISC) License( \(MIT\))?\s*\n/i, "")).trim();
    const key = body.replace(/\W+/g, " ").toLowerCase();
    if (!groups.has(key)) groups.set(key, { names: [], body });
    const owners = apache ? [] : (text.match(own) ?? []);
    groups.get(key).names.push([title, ...owners.map((line) => line.trim())].join("\n    "));
  }
  const parts = [...groups.values()].map(({ names, body }) => `${names.join("\n")}\n\n${body}\n`);
  return parts.join(`\n${"-".repeat(80)}\n\n`).replaceAll("\r", "").replace(/\n{3,}/g, "\n\n");
}

function npmPackages(inputs) {
  const names = new Set(inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]));
  names.delete(undefined);
  return [...names].sort().flatMap((name) => {
    const manifest = join(root, "node_modules", name, "package.json");
    return texts({ manifest, ...JSON.parse(readFileSync(manifest, "utf8")) });
  });
}

/** Returns the crates that are compiled into the WebAssembly modules and the component. Macros run in the compiler. */
export function compiledCrates() {
  const cargo = (command, ...args) => output("cargo", [command, "--locked", "--all-features", ...args]);
  const ours = ["-p", "copilot-keyless-wasm", "-p", "copilot-keyless-component"];
  const target = ["--target", "wasm32-unknown-unknown", "-e", "normal,no-proc-macro"];
  const compiled = new Set(cargo("tree", ...ours, ...target, "--prefix", "none", "--format", "{p}").split(/(?: \(.*\))?\n/));
  const { packages } = JSON.parse(cargo("metadata", "--format-version", "1"));
  return packages
    .filter(({ name, version, source }) => source && compiled.has(`${name} v${version}`))
    .map(({ name, version, license, manifest_path }) => ({ name, version, license, manifest: manifest_path }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Not every installation of Rust carries its licence; the text is that of this package. */
function standardLibrary() {
  const text = readFileSync(join(root, "LICENSE"), "utf8");
  return {
    title: `std ${output("rustc", ["--version"]).split(" ")[1]}, the Rust standard library (MIT OR Apache-2.0)`,
    text: text.replace(/^Copyright .*$/m, "Copyright (c) The Rust Project Contributors"),
  };
}

function texts({ name, version, license, manifest }, kind = "") {
  const title = `${name} ${version}${kind} (${license})`;
  const [, wanted] = TEXTS.find(([pattern]) => pattern.test(license)) ?? [];
  if (!wanted) throw new StepError(`The licence of ${title} is not known`, "Add it to scripts/licenses.mjs if it may be used.");
  return wanted.map((pattern) => {
    const file = readdirSync(dirname(manifest)).find((one) => pattern.test(one));
    if (!file) throw new StepError(`${title} comes without the text of its licence`);
    return { title, text: readFileSync(join(dirname(manifest), file), "utf8") };
  });
}
