// Builds what is missing and runs the tests.
//
//   npm test                   the quick tests: Rust natively and in WebAssembly, the types, every project of vitest.config.ts
//   npm test native e2e        some suites, whole: native, wasm, types, or projects
//   npm test -- -t "a title"   options and files go to vitest
//   npm run test:all           everything that CI runs: the slow tests too, other hosts of the core, fuzzing and loads

import { build } from "./build.mjs";
import { foreground, main, run, step } from "./steps.mjs";
import { cargoTools, checkNode, npmPackages, rust } from "./toolchain.mjs";

const wasm = ["-p", "copilot-keyless-wasm", "--features", "core,plan", "--target", "wasm32-unknown-unknown"];
const SUITES = {
  native: ["cargo", ["test", "--locked", "--quiet"]],
  wasm: ["cargo", ["test", "--locked", "--quiet", ...wasm]],
  types: ["tsc", ["-p", "tests/tsconfig.json"]],
};
const env = { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: "wasm-bindgen-test-runner" };

const PROJECTS = ["unit", "e2e", "package", "browser", "runtimes", "conformance", "tooling"];

/** What else CI runs. */
const MORE = [
  "bash examples/test",
  "node scripts/fuzz.mjs 15",
  "node scripts/soak.mjs --seed 4 --minutes 2",
  "node scripts/hostile.mjs --seed 1 --seconds 60",
];

await main(async () => {
  const all = process.argv[2] === "--all";
  const given = process.argv.slice(all ? 3 : 2);
  const suites = Object.keys(SUITES).filter((name) => given.length === 0 || given.includes(name));
  const projects = PROJECTS.filter((name) => given.includes(name));
  const rest = given.filter((one) => !suites.includes(one) && !projects.includes(one));
  const vitest = given.length === 0 || projects.length + rest.length > 0;

  checkNode();
  await rust();
  await npmPackages();
  for (const name of suites) {
    if (name === "wasm") await cargoTools("wasm-bindgen");
    // The tests import the types of dist/.
    if (name === "types") await build();
    await step(`${name} tests`, (onLine) => run(...SUITES[name], { onLine, env }));
  }
  if (vitest) {
    if (projects.join() !== "unit") await build();
    const whole = all || projects.length > 0 || /^[^-]/.test(rest[0] ?? "");
    const code = await foreground("vitest", [
      "run",
      ...(whole ? [] : ["--exclude", "**/*.slow.test.ts"]),
      ...projects.flatMap((name) => ["--project", name]),
      ...rest,
    ]);
    if (code !== 0) return code;
  }
  if (all && given.length === 0) {
    for (const line of MORE) {
      const [program, ...args] = line.split(" ");
      await run(program, args, { show: true });
    }
  }
});
