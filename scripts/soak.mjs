// `npm run tool soak`: runs many sessions with tokens of 15 s under planned faults (the same seed
// gives the same plan), then a crowd that aborts turns at a chat server on a busy machine. Fails on
// lost or late turns, leaks, and too many requests or too much memory.

import { lineOf, planOf } from "../tests/soak/plan.mjs";
import { command, from } from "./command.mjs";

await command(
  "soak",
  "Lets many sessions converse on tokens of 15 s while faults come by a plan, then a crowd abort its turns.",
  [
    ["--seed <n>", "which faults come, and when (default: drawn and shown)", from(0), Date.now() % 1_000_000],
    ["--minutes <n>", "how long", from(1), 2],
    ["--sessions <n>", "how many conversations", from(1), 20],
    ["--crowd <seconds>", "how long the crowd; 0 leaves it out", from(0), 60],
    ["--plan", "only show which faults would come, and when"],
  ],
  async ({ seed, minutes, sessions, crowd: seconds, plan }, signal) => {
    const planned = planOf({ seed, minutes });
    if (plan)
      return { data: planned, text: [`seed ${seed}, ${minutes} minutes`, ...planned.map(lineOf)].join("\n") };
    const { soak } = await import("../tests/soak/run.mjs");
    const { faultsOf, summaryOf } = await import("../tests/soak/judge.mjs");
    const { crowd } = await import("../tests/soak/crowd/run.mjs");
    console.error(`soak: seed ${seed}, ${minutes} minutes, ${sessions} sessions, ${planned.length} episodes`);
    const onProgress = ({ ranMs, tally: { turns, replies }, emulator: { counts } }) =>
      console.error(
        `… ${Math.round(ranMs / 1000)} s: ${turns} turns, ${replies} replies, ${counts.identity} identity requests`,
      );
    const progressMs = process.stderr.isTTY ? 10_000 : 30_000;
    const result = await soak({ seed, minutes, sessions, signal, progressMs, onProgress });
    if (seconds > 0) console.error(`… a crowd of 20 users for ${seconds} s, both cores busy`);
    const met = seconds > 0 && !signal.aborted ? await crowd({ seed, seconds, signal }) : undefined;
    const summary = { ...summaryOf({ seed, minutes, sessions }, result), crowd: met };
    const faults = [...faultsOf(summary, result), ...(met?.faults ?? [])];
    return { data: { ...summary, faults }, faults, good: "every turn ended as it should" };
  },
);
