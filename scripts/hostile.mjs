// `npm run hostile -- --seconds 60 --seed 1`: good callers, and beside them those who mean harm, over real HTTP against the Functions
// handler and the edge handler. Exit code 1 with a sentence for every promise that was broken; 130 after Ctrl-C.

import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { main, StepError } from "./steps.mjs";
import { checkNode } from "./toolchain.mjs";

const HELP = `npm run hostile -- [--seconds N] [--seed N] [--json]

  --seconds N   how long; default 60, at least 20
  --seed N      which requests come when; by default drawn and told
  --json        print the figures as JSON on stdout`;

await main(async () => {
  const { seed, seconds, json, help } = settings();
  if (help) return console.log(HELP);
  checkNode();
  await build();
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => interrupted.abort());
  // Not before the build: they import the package as users do.
  const { hostile } = await import("../tests/hostile/run.mjs");
  const { faultsOf, listOf, percent, summaryOf } = await import("../tests/hostile/judge.mjs");
  console.error(`hostile: seed ${seed}, ${seconds} seconds`);
  const onProgress = (phase) => console.error(`… ${phase}`);
  const tally = await hostile({ seed, seconds, signal: interrupted.signal, onProgress });
  const summary = summaryOf({ seed, seconds }, tally);
  const faults = faultsOf(summary, tally);
  if (json) console.log(JSON.stringify({ ...summary, faults }, undefined, 2));
  else report(summary, { listOf, percent });
  if (interrupted.signal.aborted) {
    console.error("Ended before its time.");
    return 130;
  }
  for (const fault of faults) console.error(`✗ ${fault}`);
  const { good, happened } = summary;
  if (faults.length === 0) {
    console.error(
      `✓ ${good.answered} of ${good.outside} good turns answered (${percent(good.answered / good.outside)}), none lost, no slot held, beside ${happened.aborts} aborts, ${happened.revocations} revocations and ${happened.cuts} cut streams`,
    );
  }
  return faults.length === 0 ? 0 : 1;
});

function settings() {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seconds: { type: "string", default: "60" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const seconds = number("seconds", values.seconds, 20);
  const seed = number("seed", values.seed ?? String(Date.now() % 1_000_000), 0);
  return { ...values, seed, seconds };
}

function number(name, text, least) {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= least) return value;
  throw new StepError(`--${name} must be a whole number from ${least} on`, "npm run hostile -- --help");
}

function report({ ranSeconds, good, latency, happened, hostile, memory, held, exits }, { listOf, percent }) {
  const lines = [
    ["ran", `${ranSeconds} s`],
    ["good", `${good.turns} turns, ${good.lost} lost`],
    [
      "",
      `outside of the faults ${good.outside}, answered ${good.answered} (${percent(good.answered / good.outside)})`,
    ],
    ["", `told an error: ${listOf(good.told)}`],
    ["", `inside of the faults: ${listOf(good.inside)}`],
    ["happened", listOf(happened)],
    ...Object.entries(hostile).map(([sort, told]) => [sort, listOf(told)]),
    ...Object.entries(latency).map(([name, { quiet, storm, revoking, times }]) => [
      name,
      `p99 ${quiet.p99Ms} ms in the quiet, ${storm.p99Ms} in the storm: ${times} x (goal: 3), ${revoking.p99Ms} beside revocations; p50 ${quiet.p50Ms}, ${storm.p50Ms} and ${revoking.p50Ms}`,
    ]),
    ...Object.entries(memory).map(([name, used]) => [
      name,
      `${used ? `${used.quietMB} MB in the quiet, ${used.mostMB} at most; runtimes below ${used.runtimesMB}` : "memory not measured"}; slots held ${held[name]}; exit ${exits[name]}`,
    ]),
  ];
  for (const [name, text] of lines) console.log(`${name.padEnd(16)} ${text}`);
}
