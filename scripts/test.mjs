// Builds what is missing and runs the tests.
//
//   npm test                   the quick tests: Rust, types, every vitest project
//   npm test native e2e        some suites, whole: native, wasm, types, or projects
//   npm test -- -t "a title"   options and files go to vitest
//   npm run test:all           also slow tests, wasm, other hosts, fuzzing, loads (only these: test:slow)

import { build, quickBuild } from "./build.mjs";
import { foreground, main, run, step } from "./steps.mjs";
import { cargoTools, npmPackages, rust } from "./toolchain.mjs";

const WASM =
  "test --locked -p copilot-keyless-wasm --features core,plan,explain --target wasm32-unknown-unknown";
const SUITES = {
  native: ["cargo", ["test", "--locked", "--quiet"]],
  wasm: ["cargo", WASM.split(" ")],
  types: ["tsc", ["-p", "tests/tsconfig.json"]],
};
const env = { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: "wasm-bindgen-test-runner" };

const PROJECTS = ["unit", "e2e", "package", "browser", "runtimes", "conformance", "tooling"];

await main(async () => {
  const slow = process.argv[2] === "--slow";
  const given = process.argv.slice(slow ? 3 : 2);
  const all = given.length === 0;
  const suites = Object.keys(SUITES).filter(
    (name) => given.includes(name) || (all && slow === (name === "wasm")),
  );
  const projects = PROJECTS.filter((name) => given.includes(name));
  const rest = given.filter((one) => !suites.includes(one) && !projects.includes(one));
  const named = projects.length > 0 || /^[^-]/.test(rest[0] ?? "");
  const prepare = slow || named ? build : quickBuild;

  await rust();
  await npmPackages();
  for (const name of suites) {
    if (name === "wasm") await cargoTools("wasm-bindgen");
    // The tests import the types of dist/.
    if (name === "types") await prepare();
    const output = await step(`${name} tests`, (onLine) => run(...SUITES[name], { onLine, env }));
    for (const [result] of output.matchAll(/^test result: .* passed/gm)) console.log(`  ${result}`);
  }
  if (!all && projects.length + rest.length === 0) return;
  if (projects.join() !== "unit") await prepare();
  const choice = slow ? [".slow.test.ts"] : named ? [] : ["--exclude", "**/*.slow.test.ts"];
  const options = [...choice, ...projects.flatMap((name) => ["--project", name]), ...rest];
  return foreground("vitest", ["run", ...options]);
});
