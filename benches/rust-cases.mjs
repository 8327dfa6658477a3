// The cases of the crate copilot-keyless-tokio beside azure_identity.

import { atMost, faster } from "./goals.mjs";

const IDENTITY = "azure_identity";
const PIPED = "azure_identity behind azure_core";
/** As the native driver of Cosmos DB has one. */
const HALF_LIFE = "azure_identity behind a half-life cache";

/** The first run compiles the programs. */
const TIMEOUT_MS = 900_000;

/** A token that `azure_identity` takes for one that has ended: it has less than five minutes. */
const ENDING = { tokenLifetimeSeconds: 298, platformCache: false };

const rustCase = (name, title, unit, emulator, figure, goal, remark) => ({
  name: `rust-${name}`,
  group: "rust",
  title: `Rust, ${title}`,
  unit,
  program: "benches/programs/rust.mjs",
  args: [name],
  rounds: 3,
  timeoutMs: TIMEOUT_MS,
  emulator,
  figure,
  remark,
  against: [IDENTITY, PIPED, HALF_LIFE].map((peer) => ({ peer, goal })),
});

/** Callers that were not served at once. The remark says how many were served later. */
const late = ({ report }) => report.late;
const served = ({ report }) =>
  `${100 - report.failed} of 100 were served in the 5 to 30 s that it was watched`;
const NONE = atMost(0, "callers");
const lateCase = (name, title, emulator) =>
  rustCase(name, `100 callers not served at once, ${title}`, "callers", emulator, late, NONE, served);
const ns = ({ report }) => report.ns;
const requests = ({ identity }) => identity;

export const RUST_CASES = [
  rustCase("cached-1", "cached token, one thread", "ns", {}, ns, faster(1)),
  rustCase("cached-32", "cached token, 32 threads", "ns", {}, ns, faster(1)),
  rustCase("cold", "1,000 cold callers", "requests", {}, requests, atMost(1, "request")),
  lateCase("hang", "the refresh is due and hangs", ENDING),
  lateCase("500", "the refresh is due and is answered 500", ENDING),
  lateCase("other-scope", "another scope hangs", {}),
];
