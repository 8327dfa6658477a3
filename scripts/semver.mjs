// `npm run tool semver`: compares the public API of the crate with that of an earlier commit. Fails
// on a breaking change that the version in Cargo.toml does not allow.

import { main, runStep } from "./steps.mjs";
import { cargoTools, rust } from "./toolchain.mjs";

/** The commit to compare with until there is a release. A deliberate breaking change moves it. */
const BASELINE = "d7440ba2c6e918e057133b46b80542f4abc4b42e";

await main(async () => {
  await rust();
  await cargoTools("cargo-semver-checks");
  const check = "cargo semver-checks check-release --package copilot-keyless --baseline-rev";
  await runStep("public API of the crate", `${check} ${BASELINE}`);
});
