// `npm run soak -- --seed 1 --minutes 20`: many sessions converse on tokens of 15 s while things go wrong by chance, the same
// for the same seed; then a crowd aborts at a chat server on a busy machine. Exit code 1 when something was lost, late, leaked or
// too much; 130 after Ctrl-C.

import { parseArgs } from "node:util";
import { lineOf, planOf } from "../tests/soak/plan.mjs";
import { build } from "./build.mjs";
import { main, StepError } from "./steps.mjs";
import { checkNode } from "./toolchain.mjs";

const HELP = `npm run soak -- [--seed N] [--minutes M] [--sessions S] [--plan] [--json]

  --seed N      what goes wrong and when; by default drawn and told
  --minutes M   how long; default 2, at least 1
  --sessions S  how many conversations; default 20
  --crowd C     how long the crowd, in seconds; default 60, 0 leaves it out
  --plan        only print what would go wrong, and when
  --json        print the figures as JSON on stdout`;

/** How long a close may take on a machine whose cores are busy with something else. */
const CLOSE_MS = 1_500;

await main(async () => {
  const { seed, minutes, sessions, crowd: seconds, plan, json, help } = settings();
  if (help) return console.log(HELP);
  const planned = planOf({ seed, minutes });
  if (plan) {
    console.log(`seed ${seed}, ${minutes} minutes`);
    for (const episode of planned) console.log(lineOf(episode));
    return 0;
  }
  checkNode();
  await build();
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => interrupted.abort());
  // Not before the build: they import the package as users do.
  const { soak } = await import("../tests/soak/run.mjs");
  const { faultsOf, summaryOf } = await import("../tests/soak/judge.mjs");
  console.error(`soak: seed ${seed}, ${minutes} minutes, ${sessions} sessions, ${planned.length} episodes`);
  const result = await soak({
    seed,
    minutes,
    sessions,
    signal: interrupted.signal,
    progressMs: process.stderr.isTTY ? 10_000 : 30_000,
    onProgress: ({ ranMs, tally, emulator, memory }) => {
      const megabytes = ({ own, users, agents }) =>
        `, ${[own, users, agents].map((bytes) => Math.round(bytes / 1e6)).join(" + ")} MB`;
      console.error(
        `… ${Math.round(ranMs / 1000)} s: ${tally.turns} turns, ${tally.replies} replies, ${emulator.counts.identity} identity requests${memory ? megabytes(memory) : ""}`,
      );
    },
  });
  if (seconds > 0) console.error(`… a crowd of 20 users for ${seconds} s, both cores busy`);
  const { crowd } = await import("../tests/soak/crowd/run.mjs");
  const met =
    seconds > 0 && !interrupted.signal.aborted
      ? await crowd({ seed, seconds, signal: interrupted.signal })
      : undefined;
  const summary = { ...summaryOf({ seed, minutes, sessions }, result), crowd: met };
  const faults = [...faultsOf(summary, result), ...(met ? crowdFaults(met) : [])];
  if (json) console.log(JSON.stringify({ ...summary, faults }, undefined, 2));
  else report(summary);
  for (const fault of faults) console.error(`✗ ${fault}`);
  if (interrupted.signal.aborted) {
    console.error("Ended before its time.");
    return 130;
  }
  if (faults.length === 0) console.error("✓ every turn ended as it should");
  return faults.length === 0 ? 0 : 1;
});

function crowdFaults({ faults, closedMs, aborted }) {
  const least = aborted === 0 ? ["the crowd: nobody has left"] : [];
  const late = closedMs > CLOSE_MS ? [`the crowd: close() took ${closedMs} ms`] : [];
  return [...faults.slice(0, 20).map((fault) => `the crowd: ${fault}`), ...least, ...late];
}

function settings() {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      minutes: { type: "string", default: "2" },
      sessions: { type: "string", default: "20" },
      crowd: { type: "string", default: "60" },
      plan: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const minutes = number("minutes", values.minutes, 1);
  const sessions = number("sessions", values.sessions, 1);
  const seed = number("seed", values.seed ?? String(Date.now() % 1_000_000), 0);
  if (!Number.isInteger(sessions) || !Number.isInteger(seed)) {
    throw new StepError("--seed and --sessions are whole numbers", "npm run soak -- --help");
  }
  return { ...values, seed, minutes, sessions, crowd: number("crowd", values.crowd, 0) };
}

function number(name, text, least) {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && Number.isFinite(value)) return value;
  throw new StepError(`--${name} must be a number from ${least} on`, "npm run soak -- --help");
}

function report(summary) {
  const { crowd, identity, memory, revoked, secrets } = summary;
  const list = (counts) =>
    Object.entries(counts)
      .map(([name, times]) => `${name} ${times}`)
      .join(", ") || "none";
  const growth = ({ secondQuarterMB, lastQuarterMB, bytesPerTurn } = {}) =>
    secondQuarterMB === undefined
      ? "not measured"
      : `${secondQuarterMB} MB in the second quarter, ${lastQuarterMB} in the last, ${bytesPerTurn} bytes a turn`;
  const lines = [
    ["ran", `${summary.ranSeconds} s, ${summary.episodes} episodes`],
    ["turns", `${summary.turns}: ${summary.replies} answered, ${summary.aborted} aborted`],
    ["errors", list(summary.errors)],
    ["longest", `${summary.longestTurn.ms} ms (${summary.longestTurn.turn})`],
    [
      "revoked",
      `${revoked.revocations} times, met by ${revoked.met} turns, ${revoked.recovered} of them answered`,
    ],
    ["tokens", `at the resource: ${list(summary.verdicts)}`],
    ["identity", `${identity.requests} requests of ${identity.most} at most`],
    [
      "",
      `good answers ${identity.good} of ${identity.goodMost}, bad ones ${identity.bad} of ${identity.badMost}`,
    ],
    ["own RSS", growth(memory.ownRss)],
    ["own heap", growth(memory.ownHeap)],
    ["runtime", `the user's own: ${growth(memory.usersRss)}`],
    ["", `the agents': ${growth(memory.agentsRss)}`],
    [
      "secrets",
      `${secrets.tokensIssued} tokens looked for in ${secrets.textsRead} texts and ${secrets.filesMB} MB of files`,
    ],
  ];
  if (crowd) {
    const { turns, answered, aborted, longestMs, closedMs } = crowd;
    lines.push([
      "crowd",
      `${turns} turns: ${answered} answered, ${aborted} left; longest ${longestMs} ms, close() ${closedMs} ms`,
    ]);
  }
  for (const [name, text] of lines) console.log(`${name.padEnd(9)} ${text}`);
}
