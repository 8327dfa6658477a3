// Builds the native gateway. cargo itself knows what has changed.

import { join } from "node:path";
import { root, runStep } from "./steps.mjs";
import { rust } from "./toolchain.mjs";

const MANIFEST = join(root, "crates/gateway/Cargo.toml");

/** Builds it as it is published, with its rival of the bench, or without optimization. */
export async function nativeGateway({ release = false } = {}) {
  await rust();
  const what = release ? "--release --bins --example bare" : "--bins";
  await runStep("native gateway", `cargo build --locked --quiet ${what} --manifest-path ${MANIFEST}`);
}
