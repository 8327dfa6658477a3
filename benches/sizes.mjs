// Measures sizes in KB of 1,024 bytes: the WebAssembly modules, the package as npm packs it, and
// the peer as it is installed where the programs run.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { output, root } from "../scripts/steps.mjs";
import { RELEASE, wasmFiles } from "../scripts/wasm-plugin.mjs";
import { tree } from "./tree.mjs";

const PEER = "@azure/identity";

/** A WebAssembly module that the build inlined. */
const INLINED = /"[A-Za-z0-9+/=]{10000,}"/g;

export async function sizes() {
  const modules = Object.entries(RELEASE).map(([name, module]) => {
    return [name, brotliKilobytes(readFileSync(wasmFiles(module).wasm))];
  });
  const [{ files }] = JSON.parse(output("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]));
  const installed = (counts) =>
    kilobytes(files.reduce((sum, { path, size }) => sum + (counts(path) ? size : 0), 0));
  const isWorkerd = (path) => path.startsWith("dist/workerd/");
  const isComponent = (path) => path === "dist/component.wasm";
  const { dependencies = {} } = manifest(root);
  const peers = foldersOf(PEER);
  const kilobytesOf = Object.fromEntries(modules);
  const { core, plan } = kilobytesOf;
  return {
    ...kilobytesOf,
    // The modules that it loads, and its JavaScript without the others.
    direct: core + plan + (await bundle('export { createDirectCredential } from "copilot-keyless/direct";')),
    installed: installed(() => true),
    installedWorkerd: installed(isWorkerd),
    installedComponent: installed(isComponent),
    installedRest: installed((path) => !isWorkerd(path) && !isComponent(path)),
    packages: Object.keys(dependencies).length,
    managedIdentityBundle: await bundle(`export { ManagedIdentityCredential } from "${PEER}";`),
    peerInstalled: kilobytes([...peers].reduce((sum, folder) => sum + weight(folder), 0)),
    peerPackages: peers.size - 1,
  };
}

/** Returns the size of a program's JavaScript as one minified file for Node, in brotli. */
async function bundle(code) {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: tree.root },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "silent",
  });
  return brotliKilobytes(Buffer.from(outputFiles[0].text.replaceAll(INLINED, '""')));
}

/** Returns the folders of a package and of all its dependencies. */
function foldersOf(name, from = tree.root, found = new Set()) {
  const folder = [join(from, "node_modules", name), join(tree.root, "node_modules", name)].find(existsSync);
  if (!folder || found.has(folder)) return found;
  found.add(folder);
  for (const each of Object.keys(manifest(folder).dependencies ?? {})) foldersOf(each, folder, found);
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

function brotliKilobytes(bytes) {
  return kilobytes(brotliCompressSync(bytes).length);
}

function kilobytes(bytes) {
  return bytes / 1_024;
}
