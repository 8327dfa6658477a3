// What the build needs beside the sources: npm packages, the wasm target, wasm-pack and wasm-bindgen. Installs what is
// missing, at pinned versions, and nothing else.

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { ifChanged, output, root, run, StepError, step } from "./steps.mjs";

const WASM_TARGET = "wasm32-unknown-unknown";
const WASM_PACK = "0.15.1";
const CARGO_DENY = "0.20.2";
const CARGO_FUZZ = "0.13.2";

/** The command-line tool must have exactly the version of the crate. */
const WASM_BINDGEN = /^wasm-bindgen = "=([\d.]+)"$/m.exec(
  readFileSync(join(root, "crates/wasm/Cargo.toml"), "utf8"),
)[1];

/** Tools are kept per user and version, so that the next clone finds them. */
const toolsDir = join(
  process.env.XDG_CACHE_HOME ||
    (process.platform === "win32" && process.env.LOCALAPPDATA) ||
    join(homedir(), ".cache"),
  "copilot-keyless",
  "tools",
);

/** Node in a version that the Copilot SDK runs on. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  throw new StepError(
    `Node ${process.versions.node} is too old; copilot-keyless and the Copilot SDK need 20.19 or 22.12 and later`,
    "Install a newer Node, for example with nvm: nvm install 22",
  );
}

/** The npm packages of the lockfile. */
export async function npmPackages() {
  await ifChanged("npm", ["package-lock.json"], ["node_modules/typescript", "node_modules/binaryen"], () =>
    step(
      "npm packages",
      (onLine) =>
        run("npm", ["ci", "--no-audit", "--no-fund"], {
          onLine,
          hint: "Check the network and the npm registry that `npm config get registry` names.",
        }),
      "about half a minute, once",
    ),
  );
}

/** Rust with the wasm target, wasm-pack and wasm-bindgen; puts them on this process's PATH. */
export async function rustTools() {
  if (!output("cargo", ["--version"])) {
    throw new StepError(
      "Rust is not installed, and the core of copilot-keyless is Rust",
      "Install it with rustup (https://rustup.rs), then run this again.",
    );
  }
  if (!hasWasmTarget()) {
    await step(`Rust target ${WASM_TARGET}`, (onLine) =>
      run("rustup", ["target", "add", WASM_TARGET], {
        onLine,
        hint: `Add the target ${WASM_TARGET} to your Rust installation.`,
      }),
    );
  }
  await cargoTool("wasm-bindgen", WASM_BINDGEN, "wasm-bindgen-cli");
  await cargoTool("wasm-pack", WASM_PACK);
  onPath(join(root, "node_modules", ".bin"));
}

/** What checks crates by deny.toml; only `npm run check` needs it. */
export function cargoDeny() {
  return cargoTool("cargo-deny", CARGO_DENY);
}

/** What drives the fuzzer. */
export function cargoFuzz() {
  return cargoTool("cargo-fuzz", CARGO_FUZZ);
}

/** A tool of a pinned version, installed if it is not there; put on this process's PATH. */
async function cargoTool(tool, version, crate = tool) {
  if (output(tool, ["--version"])?.split(" ")[1] === version) return;
  const home = join(toolsDir, `${tool}-${version}`);
  const exe = join(home, "bin", process.platform === "win32" ? `${tool}.exe` : tool);
  if (!existsSync(exe)) await install(crate, version, home);
  onPath(join(home, "bin"));
}

function onPath(folder) {
  process.env.PATH = [folder, process.env.PATH].join(delimiter);
}

function hasWasmTarget() {
  const libraries = output("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]);
  return libraries !== undefined && existsSync(libraries);
}

function install(crate, version, home) {
  return step(
    `${crate} ${version}`,
    (onLine) =>
      run("cargo", ["install", "--locked", "--root", home, `${crate}@${version}`], {
        onLine,
        // These tools work on small files: a quick build of them beats a quick run.
        env: {
          CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
          CARGO_PROFILE_RELEASE_LTO: "off",
          CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
        },
        hint: "Check the network and that a C compiler is installed (cc, or Build Tools on Windows).",
      }),
    "one to four minutes, once",
  );
}

/** Everything that a build needs. */
export async function setUp() {
  checkNode();
  await npmPackages();
  await rustTools();
}
