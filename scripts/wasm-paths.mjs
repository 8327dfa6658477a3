// Panics name the source file they come from. Nothing ever shows these names: a panic in WebAssembly is a trap, and no hook prints it. Stable
// Rust has no flag to leave them out, so the build puts zeros in their place; lengths and addresses stay as they are.

import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { root } from "./steps.mjs";

/** The forms of such a path: the standard library's, a crate's (the build calls cargo's folder "cargo"), and this workspace's own. */
const SOURCE_PATH =
  /(?:\/rustc\/[0-9a-f]{40}\/library|\/rust\/deps|cargo[\\/](?:registry|git)|(?:crates[\\/]\w+[\\/])?src)[\\/][\w.+\\/-]*?\.rs/g;

/** Takes the paths of source files out of a module's bytes. Gives the paths that were there. */
export function blankSourcePaths(bytes) {
  const paths = [];
  for (const { 0: path, index } of bytes.toString("latin1").matchAll(SOURCE_PATH)) {
    paths.push(path);
    bytes.fill(0, index, index + path.length);
  }
  return paths;
}

/** The same in a file. */
export function blankSourcePathsIn(file) {
  const bytes = readFileSync(file);
  blankSourcePaths(bytes);
  writeFileSync(file, bytes);
}

/** The environment of a build whose panics name source files without the builder's own folders, in the one form that is found here. */
export function withoutPaths() {
  const cargo = process.env.CARGO_HOME || join(homedir(), ".cargo");
  const flags = [`--remap-path-prefix=${cargo}=cargo`, `--remap-path-prefix=${root}=.`];
  return { CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f") };
}
