// `npm run canary`: runs a short suite of the packed package, in a temporary folder, against the
// newest releases of the Copilot SDK (whose token callback is experimental), its runtime,
// @azure/identity, openai and Node. Exit code 1 when a case fails.

import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableOf } from "../benches/table.mjs";
import { build } from "./build.mjs";
import { main, root, run, step } from "./steps.mjs";

const PREVIEW = `check --locked --quiet --manifest-path ${join(root, "crates/tokio/preview/Cargo.toml")}`;
/** Compiles beside the crate, and downloads no runtime. */
const RUST = { CARGO_TARGET_DIR: join(root, "crates/tokio/target"), COPILOT_SKIP_CLI_DOWNLOAD: "1" };

await main(async () => {
  await build();
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-canary-"));
  try {
    await step("the newest releases", () => install(folder));
    const node = join(folder, "node_modules/node/bin/node");
    const runtime = { COPILOT_CLI_PATH: join(folder, "node_modules/@github/copilot/npm-loader.js") };
    const tsc = "--noEmit --strict --skipLibCheck --types node --module nodenext public.ts".split(" ");
    const checks = [
      ["suite, on the SDK's own runtime", node, ["suite.mjs"]],
      ["suite, on @github/copilot", node, ["suite.mjs"], runtime],
      ["the preview of the Copilot SDK for Rust", "cargo", PREVIEW.split(" "), RUST],
      ["public types", process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...tsc]],
    ];
    const report = [tableOf(versions(folder))];
    let failed = false;
    for (const [title, command, args, env] of checks) {
      const options = { cwd: folder, env: { COPILOT_HOME: join(folder, "home"), ...env } };
      const printed = await step(title, () => run(command, args, options)).catch(({ message }) => {
        failed = true;
        return message;
      });
      report.push(`${title}:`, `\`\`\`\n${printed.trim() || "✓"}\n\`\`\``);
    }
    console.log(`\n${report.join("\n\n")}`);
    const summary = process.env.GITHUB_STEP_SUMMARY;
    if (summary) appendFileSync(summary, `${report.join("\n\n")}\n`);
    return failed ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});

async function install(folder) {
  cpSync(join(root, "tests/canary"), folder, { recursive: true });
  cpSync(join(root, "tests/types/public.ts"), join(folder, "public.ts"));
  const packed = await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder]);
  // Allow versions outside the package's peer ranges: the canary looks for what they break.
  const flags = ["--no-audit", "--no-fund", "--legacy-peer-deps"];
  await run("npm", ["install", ...flags, packed.trim()], { cwd: folder });
}

/** Compares the newest versions with those of the lockfile. */
function versions(folder) {
  const read = (path) => JSON.parse(readFileSync(path, "utf8"));
  const { packages } = read(join(root, "package-lock.json"));
  return Object.keys(read(join(root, "tests/canary/package.json")).dependencies).map((name) => ({
    package: name,
    "in the lockfile": packages[`node_modules/${name}`]?.version ?? "",
    newest: read(join(folder, "node_modules", name, "package.json")).version,
  }));
}
