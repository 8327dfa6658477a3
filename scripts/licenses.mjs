// The licences of all that is in the package and was written by others: npm packages bundled into its JavaScript, crates compiled into
// its WebAssembly.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compiledCrates } from "./crates.mjs";
import { output, root, StepError } from "./steps.mjs";

/** What each expression asks for: patterns of the names of the files that hold the texts. Where there is a choice, MIT is taken. */
const TEXTS = {
  MIT: [/^LICENSE(-MIT)?(\.\w+)?$/i],
  ISC: [/^LICENSE(\.\w+)?$/i],
  "Apache-2.0": [/^LICENSE(-APACHE)?(\.\w+)?$/i],
  "MIT OR Apache-2.0": [/^LICENSE-MIT$/],
  "Apache-2.0 OR MIT": [/^LICENSE-MIT$/],
  "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT": [/^LICENSE-MIT$/],
  "Unlicense OR MIT": [/^LICENSE-MIT$/],
  "(MIT OR Apache-2.0) AND Unicode-3.0": [/^LICENSE-MIT$/, /^LICENSE-UNICODE$/],
};

/** The text of THIRD-PARTY-LICENSES.txt; `inputs` are the paths of the modules that were bundled. */
export function thirdPartyLicenses(inputs) {
  const parts = [...npmPackages(inputs), ...rustCrates(), standardLibrary()];
  // Most differ in nothing but whose they are: each text stands once, below those it is for.
  const groups = new Map();
  for (const { title, text } of parts) {
    const { notice, body } = split(text);
    const key = body.replace(/\W+/g, " ").toLowerCase();
    const group = groups.get(key) ?? { names: [], body };
    groups.set(key, group);
    group.names.push([title, ...notice].join("\n    "));
  }
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  return `${[...groups.values()].map(({ names, body }) => `${names.join("\n")}\n\n${body}`).join(rule)}\n`;
}

function npmPackages(inputs) {
  const names = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(names)]
    .filter((name) => name !== undefined)
    .sort()
    .flatMap((name) => {
      const home = join(root, "node_modules", name);
      const { version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
      return texts(`${name} ${version}`, license, home);
    });
}

function rustCrates() {
  return compiledCrates()
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, version, license, manifest_path }) =>
      texts(`${name} ${version}, a Rust crate`, license, dirname(manifest_path)),
    );
}

/** Not every installation of Rust carries its licence; the text is that of this package. */
function standardLibrary() {
  const [, version] = output("rustc", ["--version"]).split(" ");
  const text = readFileSync(join(root, "LICENSE"), "utf8");
  return {
    title: `std ${version}, the Rust standard library (MIT OR Apache-2.0)`,
    text: text.replace(/^Copyright .*$/m, "Copyright (c) The Rust Project Contributors"),
  };
}

function texts(title, license, home) {
  const wanted = TEXTS[license];
  if (!wanted)
    throw new StepError(
      `${title} has the licence "${license}"`,
      "Add it to scripts/licenses.mjs if it may be used.",
    );
  return wanted.map((pattern) => {
    const file = readdirSync(home).find((name) => pattern.test(name));
    if (!file) throw new StepError(`${title} comes without the text of its licence, ${license}`);
    return { title: `${title} (${license})`, text: readFileSync(join(home, file), "utf8") };
  });
}

/** A licence's text without its heading, and the lines in it that say whose it is. */
function split(text) {
  const own = /^\s*Copyright (?:\(c\)|©|\d).*$/gim;
  const apache = text.includes("Apache License");
  const notice = apache ? [] : (text.match(own) ?? []).map((line) => line.trim());
  const body = apache
    ? text
    : text.replace(own, "").replace(/^\s*(The )?(MIT|ISC) License( \(MIT\))?\s*$/im, "");
  return {
    notice,
    body: body
      .replaceAll("\r", "")
      .replace(/\n{3,}/g, "\n\n")
      .replace(/^\n+|\s+$/g, ""),
  };
}
