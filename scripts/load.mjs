// `npm run tool load`: sends turns to the chat handler behind Express and Hono, on tokens of 15 s.
// Fails with a sentence for each broken promise: a turn that is lost or answered with another's
// reply, a rate that is not reached.

import { quickBuild } from "./build.mjs";
import { command, from } from "./command.mjs";

await command(
  "load",
  "Sends chat turns to Express and Hono with the shared handler, on tokens of 15 s, with aborts.",
  [
    ["--rate <n>", "turns a minute, of both together", from(60), 2_000],
    ["--minutes <n>", "how long", from(1), 1],
    ["--seed <n>", "which requests come how (default: drawn and shown)", from(0), Date.now() % 1_000_000],
  ],
  async ({ rate, minutes, seed }, signal) => {
    const { load } = await import("../tests/load/run.mjs");
    const { faultsOf, summaryOf } = await import("../tests/load/judge.mjs");
    console.error(`load: seed ${seed}, ${rate} turns a minute, ${minutes} minutes`);
    const run = await load({
      rate,
      minutes,
      seed,
      signal,
      onProgress: (phase) => console.error(`… ${phase}`),
    });
    const summary = summaryOf({ rate, minutes, seed }, run);
    const { answered, left, endedPerMinute } = summary;
    return {
      data: summary,
      faults: faultsOf(summary, run),
      good: `${answered} turns answered and ${left} left, ${endedPerMinute} a minute; none lost, none crossed`,
    };
  },
  // The load is on the runtime and on TypeScript: unoptimized WebAssembly will do.
  quickBuild,
);
