// Installs what the build needs beside Node and Rust: npm packages, the wasm target and cargo tools, at pinned versions. Each part
// is installed when it is first needed, and not again.

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { ifChanged, output, root, run, StepError, step, together } from "./steps.mjs";

export const WASM_TARGET = "wasm32-unknown-unknown";

/** The cargo tools. wasm-bindgen must have exactly the version of the crate. */
const TOOLS = {
  "wasm-bindgen": {
    version: /name = "wasm-bindgen"\nversion = "(.*)"/.exec(readFileSync(join(root, "Cargo.lock"), "utf8"))[1],
    crate: "wasm-bindgen-cli",
    // No TLS: only its test runner in browsers needs it.
    args: ["--no-default-features"],
  },
  "wasm-pack": { version: "0.15.1" },
  "cargo-deny": { version: "0.20.2" },
  "cargo-fuzz": { version: "0.13.2" },
  "cargo-semver-checks": { version: "0.45.0" },
};

/** Tools are kept per user and version, so that the next clone finds them. */
const cache = process.env.XDG_CACHE_HOME || (process.platform === "win32" && process.env.LOCALAPPDATA);
const home = join(cache || join(homedir(), ".cache"), "copilot-keyless/tools");

/** Rejects a version of Node that the Copilot SDK does not run on. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  throw new StepError(
    `Node ${process.versions.node} is too old; copilot-keyless and the Copilot SDK need 20.19 or 22.12 and later`,
    "Install a newer Node, for example with nvm: nvm install 22",
  );
}

/** Installs the npm packages of the lockfile. */
export function npmPackages() {
  onPath(join(root, "node_modules/.bin"));
  return ifChanged("npm", ["package-lock.json"], ["node_modules/.package-lock.json"], () =>
    step("npm packages", (onLine) =>
      run("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], {
        onLine,
        hint: "Check the network and the npm registry that `npm config get registry` names.",
      }),
    ),
  );
}

/** Checks that Rust is there and adds its wasm target. */
export async function rust() {
  const libraries = output("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]);
  if (libraries === undefined)
    throw new StepError(
      "Rust is not installed, and the core of copilot-keyless is Rust",
      "Install it with rustup (https://rustup.rs), then run this again.",
    );
  if (existsSync(libraries)) return;
  await step(`Rust target ${WASM_TARGET}`, (onLine) =>
    run("rustup", ["target", "add", WASM_TARGET], {
      onLine,
      hint: `Add the target ${WASM_TARGET} to your Rust installation.`,
    }),
  );
}

/** Puts cargo tools on this process's PATH; installs those that are missing. */
export async function cargoTools(...names) {
  // One after another: they share what they are built from.
  for (const name of names) {
    const { version, crate = name, args = [] } = TOOLS[name];
    const folder = join(home, `${name}-${version}`);
    onPath(join(folder, "bin"));
    if (output(name, ["--version"])?.includes(version)) continue;
    await step(
      `${crate} ${version}`,
      (onLine) =>
        run("cargo", ["install", "--locked", "--debug", "--root", folder, `${crate}@${version}`, ...args], {
          onLine,
          // These tools work on small files: a quick build of them beats a quick run.
          env: { CARGO_PROFILE_DEV_DEBUG: "0", CARGO_INCREMENTAL: "0", CARGO_TARGET_DIR: join(root, "target/tools") },
          hint: "Check the network and that a C compiler is installed (cc, or Build Tools on Windows).",
        }),
      "about a minute, once",
    );
  }
}

function onPath(folder) {
  if (!process.env.PATH.split(delimiter).includes(folder)) process.env.PATH = folder + delimiter + process.env.PATH;
}

/** Everything that a build of the package needs. */
export async function setUp() {
  checkNode();
  await rust();
  await together(npmPackages(), cargoTools("wasm-bindgen", "wasm-pack"));
}
