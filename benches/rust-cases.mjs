// The cases of the crate copilot-keyless-tokio beside azure_identity.

import { atMost, faster } from "./goals.mjs";

const IDENTITY = "azure_identity";
const PIPED = "azure_identity behind azure_core";

/** The first run compiles the programs. */
const TIMEOUT_MS = 900_000;

/** A token that `azure_identity` takes for one that has ended: it has less than five minutes. */
const ENDING = { tokenLifetimeSeconds: 298, platformCache: false };

const rustCase = (name, title, unit, emulator, figure, goal, peers = [IDENTITY, PIPED]) => ({
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
  against: peers.map((peer) => ({ peer, goal })),
});

const late = ({ report }) => report.late;
const none = atMost(0, "callers");

export const RUST_CASES = [
  rustCase("cached-1", "cached token, one thread", "ns", {}, ({ report }) => report.ns, faster(1)),
  rustCase("cached-32", "cached token, 32 threads", "ns", {}, ({ report }) => report.ns, faster(1)),
  rustCase("cold", "1,000 cold callers", "requests", {}, ({ identity }) => identity, atMost(1, "request"), [
    IDENTITY,
  ]),
  rustCase("hang", "100 callers not served at once, endpoint hangs", "callers", ENDING, late, none),
  rustCase("500", "100 callers not served at once, endpoint answers 500", "callers", ENDING, late, none),
  rustCase("other-scope", "100 callers not served at once, another scope hangs", "callers", {}, late, none, [
    IDENTITY,
  ]),
];
