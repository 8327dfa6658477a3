// The sizes that are promised, in one place: `npm run sizes` prints them beside what was built, and a test holds them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { MODULES } from "./build.mjs";
import { main, output, root, StepError } from "./steps.mjs";

const KB = 1024;

/** Each WebAssembly module: what it may weigh in brotli, and how much constant data it may hold; tables of Unicode would be in there. */
const WASM = {
  core: { brotli: 45 * KB, data: 24 * KB },
  plan: { brotli: 132 * KB, data: 72 * KB },
  net: { brotli: 110 * KB, data: 40 * KB },
};

/**
 * What npm unpacks, and what it fetches besides. Two parts count by themselves: the files of workerd, which takes no module that is packed,
 * and the component, the core once more for hosts other than JavaScript, which no program in JavaScript loads.
 */
const PACKAGE = { unpacked: 1_085_000, workerd: 850_000, component: 400_000, dependencies: 0 };

/** A module as it was built. */
export function moduleBytes(name) {
  return readFileSync(join(root, MODULES[name], "copilot_keyless_bg.wasm"));
}

/** The constant data of a module: its section 11. */
export function dataOf(bytes) {
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at++];
    // The length, in LEB128.
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      length |= (bytes[at] & 0x7f) << shift;
      more = bytes[at++] >= 0x80;
    }
    if (id === 11) return bytes.subarray(at, at + length);
    at += length;
  }
  return bytes.subarray(0, 0);
}

export function brotliSize(bytes) {
  return brotliCompressSync(bytes).length;
}

/** How many bytes npm unpacks: the files of workerd, the component, and all the rest. */
export function unpackedSizes() {
  const [{ files }] = JSON.parse(output("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]));
  const sum = (counts) =>
    files.filter(({ path }) => counts(path)).reduce((bytes, { size }) => bytes + size, 0);
  const workerd = sum((path) => path.startsWith("dist/workerd/"));
  const component = sum((path) => path === "dist/component.wasm");
  return { workerd, component, rest: sum(() => true) - workerd - component };
}

/** Every size, with its limit. */
export function sizes() {
  const rows = [];
  for (const name of Object.keys(MODULES)) {
    const limits = WASM[name];
    if (!limits) throw new StepError(`The module "${name}" has no budget`, "Add it to scripts/sizes.mjs.");
    const bytes = moduleBytes(name);
    rows.push({ what: `${name}.wasm, brotli`, size: brotliSize(bytes), limit: limits.brotli });
    rows.push({ what: `${name}.wasm, constant data`, size: dataOf(bytes).length, limit: limits.data });
  }
  const { workerd, component, rest } = unpackedSizes();
  rows.push({ what: "workerd's files", size: workerd, limit: PACKAGE.workerd });
  rows.push({ what: "component.wasm", size: component, limit: PACKAGE.component });
  rows.push({ what: "package without them, unpacked", size: rest, limit: PACKAGE.unpacked });
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const count = Object.keys(dependencies).length;
  rows.push({ what: "runtime dependencies", size: count, limit: PACKAGE.dependencies });
  return rows;
}

/** The sizes as lines of text. */
export function table(rows) {
  const cells = rows.map(({ what, size, limit }) => [
    what,
    size.toLocaleString("en"),
    "of",
    limit.toLocaleString("en"),
    size <= limit ? "" : "too large",
  ]);
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === 1 || column === 3 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const rows = sizes();
    console.log(table(rows));
    return rows.every(({ size, limit }) => size <= limit) ? 0 : 1;
  });
}
