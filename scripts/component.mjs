// `npm run component`: builds the WebAssembly component. `npm run component -- test`: also runs the hosts in examples/ on it;
// `-- test python` one of them.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ifChanged, main, root, run, StepError, step } from "./steps.mjs";
import { setUp } from "./toolchain.mjs";
import { blankSourcePathsIn, withoutPaths } from "./wasm-paths.mjs";

/** Where the component is before it is put into dist/. */
export const COMPONENT = "pkg-component/component.wasm";

const CORE = "target/wasm32-unknown-unknown/release/copilot_keyless_component.wasm";

/** Builds the component, unless nothing has changed. */
export function component() {
  const inputs = [
    "src",
    "crates/component",
    "crates/wasm/Cargo.toml",
    "wit",
    "Cargo.toml",
    "Cargo.lock",
    "scripts/component.mjs",
    "scripts/wasm-paths.mjs",
  ];
  return ifChanged("component", inputs, [COMPONENT], () => step("Rust core to a component", encode));
}

async function encode(onLine) {
  const crate = ["-p", "copilot-keyless-component", "--target", "wasm32-unknown-unknown"];
  await run("cargo", ["build", "--locked", "--release", ...crate], { onLine, env: withoutPaths() });
  mkdirSync(join(root, "pkg-component"), { recursive: true });
  const optimized = join(root, "pkg-component/core.wasm");
  await run("wasm-opt", [...optimizations(), join(root, CORE), "-o", optimized], { onLine });
  blankSourcePathsIn(optimized);
  const { componentNew } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  writeFileSync(join(root, COMPONENT), await componentNew(readFileSync(optimized), []));
}

/** What wasm-pack passes to wasm-opt for the modules. */
function optimizations() {
  const cargo = readFileSync(join(root, "crates/wasm/Cargo.toml"), "utf8");
  return JSON.parse(/^wasm-opt = (\[.*\])$/m.exec(cargo)[1]);
}

/** The hosts in examples/, each with its tests. They need the command line, for its emulator. */
const HOSTS = {
  async python() {
    const venv = join(root, "target/python");
    const python = join(venv, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
    const inputs = ["examples/python/pyproject.toml", "examples/python/constraints.txt"];
    await ifChanged("python", inputs, ["target/python/pyvenv.cfg"], () =>
      step("Python packages", async (onLine) => {
        const hint = "Python 3.11 or later is needed, with venv: apt-get install python3-venv";
        await run("python3", ["-m", "venv", "--clear", venv], { onLine, hint });
        const example = ["-c", "examples/python/constraints.txt", "-e", "examples/python[test]"];
        await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...example], {
          onLine,
        });
      }),
    );
    const cwd = join(root, "examples/python");
    await run(python, ["-m", "mypy"], { show: true, cwd });
    await run(python, ["-m", "pytest", "--quiet", "-rP", "--show-capture=stdout"], { show: true, cwd });
  },
  rust: () => run("cargo", ["test", "--locked", "--quiet"], { show: true, cwd: join(root, "examples/rust") }),
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const [command, name, ...rest] = process.argv.slice(2);
    const names = name === undefined ? Object.keys(HOSTS) : [name];
    if (rest.length > 0 || ![undefined, "test"].includes(command) || !names.every((one) => HOSTS[one]))
      throw new StepError(`Usage: npm run component [-- test [${Object.keys(HOSTS).join(" | ")}]]`);
    await setUp();
    await component();
    if (command === undefined) return;
    if (names.includes("python") && !existsSync(join(root, "dist/cli.js")))
      throw new StepError("The emulator is not built", "Run npm run build first.");
    for (const one of names) {
      console.log(`\n── ${one}: examples/${one}`);
      await HOSTS[one]();
    }
  });
}
