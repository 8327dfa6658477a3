// Measures sizes in KB of 1,024 bytes: the WebAssembly modules, the package as npm packs it, and
// the peer as it is installed here.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { MODULES } from "../scripts/build.mjs";
import { brotliSize, moduleBytes, unpackedSizes } from "../scripts/sizes.mjs";

const root = join(import.meta.dirname, "..");
const PEER = "@azure/identity";

/** The WebAssembly modules' sizes in brotli, by their names in the build. */
export function modules() {
  return Object.fromEntries(
    Object.keys(MODULES).map((name) => [name, kilobytes(brotliSize(moduleBytes(name)))]),
  );
}

export async function sizes() {
  const { dependencies = {} } = manifest(root);
  const peers = tree(PEER);
  const { workerd, component, rest } = unpackedSizes();
  return {
    ...modules(),
    installed: kilobytes(workerd + component + rest),
    installedWorkerd: kilobytes(workerd),
    installedComponent: kilobytes(component),
    installedRest: kilobytes(rest),
    packages: Object.keys(dependencies).length,
    managedIdentityBundle: await bundle(`export { ManagedIdentityCredential } from "${PEER}";`),
    peerInstalled: kilobytes([...peers].reduce((sum, folder) => sum + weight(folder), 0)),
    peerPackages: peers.size - 1,
  };
}

/** Returns the size of a program as one minified file for Node, in brotli. */
async function bundle(code) {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "silent",
  });
  return kilobytes(brotliSize(outputFiles[0].contents));
}

/** Returns the folders of a package and of all its dependencies. */
function tree(name, from = root, found = new Set()) {
  const folder = [join(from, "node_modules", name), join(root, "node_modules", name)].find(existsSync);
  if (!folder || found.has(folder)) return found;
  found.add(folder);
  for (const each of Object.keys(manifest(folder).dependencies ?? {})) tree(each, folder, found);
  return found;
}

/**
 * Returns the size of a package's files, without packages installed inside it: those count by
 * themselves.
 */
function weight(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return sum + statSync(path).size;
    return entry.isDirectory() && entry.name !== "node_modules" ? sum + weight(path) : sum;
  }, 0);
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

function kilobytes(bytes) {
  return bytes / 1_024;
}
