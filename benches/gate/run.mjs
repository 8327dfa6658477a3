// `npm run tool gate`: compares this tree with a commit that the same run builds, with the same
// compiler: instructions of the core's hot functions, heap of a cached call, sizes. No figure is a
// time, so a slow machine does not change one.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output, root, run, runStep, StepError, step } from "../../scripts/steps.mjs";
import { tableOf } from "../table.mjs";

/**
 * The commit that this tree is compared with. A deliberate change of more than {@link MOST} moves
 * it, with the reason in the commit's message.
 */
const BASELINE = readFileSync(new URL("baseline", import.meta.url), "utf8").trim();

/** How much more than the baseline a figure may be. Less is always welcome. */
const MOST = 0.03;

/** Compares, prints a table, and rejects with the names of the figures that grew too much. */
export async function gate() {
  if (!output("valgrind", ["--version"]))
    throw new StepError("valgrind is not installed", "It counts instructions: apt-get install valgrind");
  const folder = join(root, "target/gate", BASELINE);
  await checkOut(folder);
  const before = await figuresOf(folder);
  const now = await figuresOf(root);
  const rows = compare(before, now);
  console.log(tableOf(rows.map(({ grew, ...row }) => row)));
  const worse = rows.filter(({ grew }) => grew).map((row) => `${row.figure} ${row.change}`);
  if (worse.length > 0)
    throw new StepError(
      `More than ${MOST * 100} % above ${BASELINE.slice(0, 8)}: ${worse.join(", ")}`,
      "If it has to be, put a later commit into benches/gate/baseline and say why.",
    );
}

/** Returns a row for each figure of the tree, compared with that of the baseline. */
export function compare(before, now) {
  return Object.entries(now).map(([figure, value]) => {
    const old = before[figure];
    if (old === undefined) return { figure, baseline: "", now: rounded(value), change: "new", grew: false };
    const change = old === value ? 0 : value / old - 1;
    const percent = `${change > 0 ? "+" : ""}${(change * 100).toFixed(1)} %`;
    return {
      figure,
      baseline: rounded(old),
      now: rounded(value),
      change: percent,
      grew: value > old * (1 + MOST),
    };
  });
}

const rounded = (value) => Math.round(value * 10) / 10;

/** Extracts the baseline, and builds its package as its own script does, which skips what is done. */
async function checkOut(folder) {
  if (!existsSync(folder)) {
    if (!output("git", ["cat-file", "-t", BASELINE]))
      await runStep("the baseline's commit", `git fetch --depth 1 origin ${BASELINE}`, {
        hint: "A clone with its whole history has the commit of benches/gate/baseline.",
      });
    const parts = `${folder}.part`;
    rmSync(parts, { recursive: true, force: true });
    mkdirSync(parts, { recursive: true });
    await run("git", ["archive", "--output", `${parts}.tar`, BASELINE]);
    await run("tar", ["-xf", `${parts}.tar`, "-C", parts]);
    renameSync(parts, folder);
  }
  await step("the baseline's package", (onLine) =>
    run(process.execPath, ["scripts/build.mjs"], { cwd: folder, onLine }),
  );
}

/** Returns all figures of a checkout whose package is built. */
async function figuresOf(folder) {
  const name = folder === root ? "this tree" : BASELINE.slice(0, 8);
  return step(`figures of ${name}`, async (onLine) => {
    const printed = await run(process.execPath, [join(import.meta.dirname, "figures.mjs"), folder], {
      cwd: folder,
      onLine,
    });
    return { ...(await instructions(folder)), ...JSON.parse(printed.trim().split("\n").at(-1)) };
  });
}

/** Builds hot.rs with the core of a checkout. Returns the instructions of each function. */
async function instructions(folder) {
  // The same sources, beside a manifest that names the other core.
  const crate = join(root, "target/gate", folder === root ? "hot-now" : "hot-before");
  mkdirSync(crate, { recursive: true });
  for (const file of ["hot.rs", "Cargo.lock"])
    writeFileSync(join(crate, file), readFileSync(join(import.meta.dirname, file)));
  const manifest = readFileSync(join(import.meta.dirname, "Cargo.toml"), "utf8");
  writeFileSync(join(crate, "Cargo.toml"), manifest.replace('"../.."', JSON.stringify(folder)));
  const env = { CARGO_TARGET_DIR: join(crate, "target") };
  await run("cargo", ["build", "--release", "--manifest-path", join(crate, "Cargo.toml")], { env });
  const counted = join(crate, "callgrind.out");
  const valgrind = ["--tool=callgrind", `--callgrind-out-file=${counted}`, join(crate, "target/release/hot")];
  await run("valgrind", valgrind);
  const listed = output("callgrind_annotate", ["--inclusive=yes", "--threshold=100", counted]) ?? "";
  const found = [...listed.matchAll(/^ *([\d,]+) \(.*:hot_(\w+)/gm)];
  if (found.length === 0) throw new StepError("callgrind_annotate lists no function of hot.rs");
  return Object.fromEntries(
    found.map(([, count, name]) => [`instructions of ${name}`, Number(count.replaceAll(",", "")) / 200]),
  );
}
