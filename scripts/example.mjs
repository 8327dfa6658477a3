// Runs an example of this repository on the build of the package.

import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root } from "./steps.mjs";

/**
 * Builds and links the package, and runs an example in its folder, with the emulator as the resource
 * unless FOUNDRY_RESOURCE_URL names one.
 */
export async function exampleOnEmulator(name, run) {
  await build();
  // Lets the example find this package in place of a release from npm.
  const link = join(root, "node_modules/copilot-keyless");
  rmSync(link, { force: true, recursive: true });
  symlinkSync(root, link, "junction");
  const { startEmulator } = await import("copilot-keyless/emulator");
  const emulator = process.env.FOUNDRY_RESOURCE_URL ? undefined : await startEmulator();
  const code = await run(join(root, "examples", name), { ...process.env, ...emulator?.env });
  await emulator?.stop();
  return code;
}
