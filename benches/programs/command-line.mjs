// Measures the command line with an option that ends at once, from its start to its end.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "../median.mjs";

const [name, option] = process.argv.slice(2);
const RUNS = 9;
const ARGUMENTS = {
  "copilot-keyless": [fileURLToPath(new URL("cli.cjs", import.meta.resolve("copilot-keyless"))), option],
  "node -e 0": ["-e", "0"],
};

const times = Array.from({ length: RUNS }, () => {
  const began = performance.now();
  const { status } = spawnSync(process.execPath, ARGUMENTS[name]);
  if (status !== 0) throw new Error(`The command ended with ${status}`);
  return performance.now() - began;
});
process.stdout.write(`${JSON.stringify({ ms: median(times) })}\n`);
