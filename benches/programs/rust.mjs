// Runs benches/rust: `<system> <case>`. Passes its faults on to the emulator.

import { spawn } from "node:child_process";
import { userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { run } from "../../scripts/steps.mjs";

const folder = join(import.meta.dirname, "../rust");
const manifest = join(folder, "Cargo.toml");
const target = process.env.CARGO_TARGET_DIR ?? join(folder, "target");
// The run has a home of its own, where there is no toolchain.
const env = { HOME: userInfo().homedir };
const args = ["build", "--release", "--locked", "--quiet", "--manifest-path", manifest];
await run("cargo", args, { env });

const child = spawn(join(target, "release/copilot-keyless-rust-bench"), process.argv.slice(2), {
  stdio: ["pipe", "pipe", "inherit"],
});
for await (const line of createInterface({ input: child.stdout })) {
  const { fault, ...report } = JSON.parse(line);
  if (fault) {
    const added = new Promise((done) => process.once("message", done));
    process.send({ fault });
    await added;
    child.stdin.write("\n");
  } else console.log(JSON.stringify(report));
}
process.exit();
