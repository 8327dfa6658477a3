// Where the measured programs run: in this checkout, or in a copy of them with the newest peers and
// another Node.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { output, root, run } from "../scripts/steps.mjs";

/** The folder with `benches` and `node_modules`, and the Node that runs the programs. */
export let tree = { root, node: process.execPath, version: process.versions.node };

/** What the programs import, besides packages. */
const PROGRAMS = [
  ...["benches", "tests/conformance", "tests/support"],
  // For Azurite.
  ...["tests/e2e/blob-sessions/azurite", "js/emulator/certificate.ts"],
];

/**
 * Lets all programs run on the newest release of a major version of Node, with the newest releases
 * of the peers, which need a newer Node than this package. They and the package, as npm packs it,
 * are installed into a folder of their own.
 */
export async function useNewest(major) {
  const folder = join(root, `target/bench-node-${major}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const path of PROGRAMS) cpSync(join(root, path), join(folder, path), { recursive: true });
  cpSync(join(root, "benches/newest/package.json"), join(folder, "package.json"));
  const packed = await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder]);
  const flags = ["--no-audit", "--no-fund", "--legacy-peer-deps"];
  await run("npm", ["install", ...flags, `node@${major}`, join(folder, packed.trim())], { cwd: folder });
  const node = join(folder, "node_modules/node/bin/node");
  tree = { root: folder, node, version: output(node, ["--version"]).slice(1) };
}
