// Who is trusted: licences, sources and versions of the crates by deny.toml, and known holes in crates and npm packages.

import { run, StepError, step } from "./steps.mjs";
import { cargoDeny } from "./toolchain.mjs";

/** What the advisory services answer where there is no way to them, or where a mirror does not offer them. */
const UNREACHABLE =
  /failed to fetch advisory database|audit endpoint returned an error|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/;

export async function supplyChain() {
  await cargoDeny();
  await step("cargo deny", () =>
    run("cargo-deny", ["--locked", "--workspace", "check", "bans", "licenses", "sources"]),
  );
  await advisories("RustSec", "cargo-deny", ["--locked", "--workspace", "check", "advisories"]);
  await advisories("npm", "npm", ["audit", "--audit-level=high"]);
}

/** Known holes. Where nobody answers, that is said and no failure: the lists are not part of the sources. */
async function advisories(list, command, args) {
  let reached = true;
  await step(`advisories of ${list}`, async () => {
    try {
      await run(command, args);
    } catch (error) {
      if (!(error instanceof StepError) || !UNREACHABLE.test(error.message)) throw error;
      reached = false;
    }
  });
  if (!reached)
    console.error(`  The advisories of ${list} cannot be reached from here; nothing was compared with them.`);
}
