// `npm test`: sets up and builds what is missing, then runs every test. Arguments choose suites: native, wasm, types, js.

import { spawn } from "node:child_process";
import { build } from "./build.mjs";
import { installRuntimes } from "./runtimes.mjs";
import { main, root, StepError } from "./steps.mjs";

const quoted = process.argv.slice(2);

/** Each suite: its command, and how its closing lines are counted. */
const SUITES = {
  native: { command: ["cargo", "test", "--locked", "--quiet"], count: cargoCount },
  wasm: {
    command: [
      "cargo",
      "test",
      "--locked",
      "-p",
      "copilot-keyless-wasm",
      "--target",
      "wasm32-unknown-unknown",
      "--features",
      "core,plan",
    ],
    env: { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: "wasm-bindgen-test-runner" },
    count: cargoCount,
  },
  types: { command: ["tsc", "-p", "tests/tsconfig.json"], count: () => [1, 0] },
  js: { command: ["vitest", "run"], count: vitestCount },
};

await main(async () => {
  for (const name of quoted)
    if (!SUITES[name])
      throw new StepError(`There is no suite "${name}"`, `Suites: ${Object.keys(SUITES).join(", ")}`);
  await build();
  if (quoted.length === 0 || quoted.includes("js")) await installRuntimes();
  let passed = 0;
  let failed = 0;
  for (const [name, { command, env, count }] of Object.entries(SUITES)) {
    if (quoted.length > 0 && !quoted.includes(name)) continue;
    console.log(`\n── ${name}: ${command.join(" ")}`);
    const { code, output } = await follow(command, env);
    const [good, bad] = count(output);
    passed += good;
    failed += code === 0 ? bad : Math.max(1, bad);
    if (code === 0 && good === 0) throw new StepError(`The suite "${name}" ran no test`);
  }
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});

/** Runs a command, shows its output as it comes and keeps it. */
function follow([command, ...args], env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let output = "";
    for (const [stream, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      stream.on("data", (chunk) => {
        output += chunk;
        to.write(chunk);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

function cargoCount(output) {
  const sum = (pattern) =>
    [...output.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
  return [sum(/test result: .*?(\d+) passed/g), sum(/test result: .*?(\d+) failed/g)];
}

function vitestCount(output) {
  // Colours are taken out before the closing line is read.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is made of
  const line = /^\s*Tests\s+(.*)$/m.exec(output.replace(/\x1b\[[\d;]*m/g, ""))?.[1] ?? "";
  const number = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return [number("passed"), number("failed")];
}
