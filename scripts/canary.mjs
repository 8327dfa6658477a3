// `npm run canary`: runs a short suite of the packed package against the newest releases of what it works with, in a throwaway folder: the
// Copilot SDK, whose token callback is experimental, its runtime, @azure/identity, openai and Node. Exit code 1 when a case fails.

import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableOf } from "../benches/table.mjs";
import { build } from "./build.mjs";
import { main, root, run, step } from "./steps.mjs";

const PACKAGES = ["@github/copilot-sdk", "@github/copilot", "@azure/identity", "openai", "node"];

await main(async () => {
  await build();
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-canary-"));
  try {
    await step("the newest releases", () => install(folder));
    const rows = [
      ...(await suite("SDK's own runtime", folder)),
      ...(await suite("@github/copilot", folder, {
        COPILOT_CLI_PATH: join(folder, "node_modules/@github/copilot/npm-loader.js"),
      })),
      await types(folder),
    ];
    const report = `${tableOf(versions(folder))}\n\n${tableOf(rows)}`;
    console.log(`\n${report}`);
    if (process.env.GITHUB_STEP_SUMMARY) appendFileSync(process.env.GITHUB_STEP_SUMMARY, `${report}\n`);
    return rows.every(({ outcome }) => outcome === "✓") ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});

async function install(folder) {
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  const packed = await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder]);
  const newest = [...PACKAGES, "@types/node"].map((one) => `${one}@latest`);
  // Beyond the ranges of the package's peers, too: what would break is to be seen.
  const flags = ["--no-audit", "--no-fund", "--legacy-peer-deps"];
  await run("npm", ["install", ...flags, packed.trim(), ...newest], { cwd: folder });
}

/** Runs the suite by the newest Node. */
async function suite(runtime, folder, env = {}) {
  copyFileSync(join(root, "tests/canary/suite.mjs"), join(folder, "suite.mjs"));
  const node = join(folder, "node_modules/node/bin/node");
  const options = { cwd: folder, env: { COPILOT_HOME: join(folder, "home"), ...env } };
  const { output, failure } = await step(`the suite, runtime: ${runtime}`, () =>
    attempt(node, ["suite.mjs"], options),
  );
  const cases = [...output.matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line));
  // A case that fails does not end it.
  cases.push({ name: "the suite runs to its end", error: failure });
  return cases.map(({ name, error }) => ({ case: name, runtime, outcome: outcomeOf(error) }));
}

/** Compiles what the public types promise, with the newest types of the packages beside them. */
async function types(folder) {
  copyFileSync(join(root, "tests/types/public.ts"), join(folder, "public.ts"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--types", "node", "--module", "nodenext"];
  const args = [join(root, "node_modules/typescript/bin/tsc"), ...options, "public.ts"];
  const { failure } = await step("types", () => attempt(process.execPath, args, { cwd: folder }));
  return { case: "the public types compile", runtime: "", outcome: outcomeOf(failure) };
}

/** What a command prints, and how it fails if it does. */
async function attempt(...command) {
  try {
    return { output: await run(...command) };
  } catch ({ message }) {
    return { output: message, failure: message };
  }
}

/** A cell of the table. */
function outcomeOf(error) {
  return error ? `✗ ${error.trim().replaceAll("|", "\\|").replaceAll("\n", "<br>")}` : "✓";
}

/** The newest versions, beside those of the lockfile. */
function versions(folder) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return PACKAGES.map((name) => ({
    package: name,
    "in the lockfile": packages[`node_modules/${name}`]?.version ?? "",
    newest: JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version,
  }));
}
