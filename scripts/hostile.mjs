// `npm run tool hostile`: runs good and hostile callers side by side, over real HTTP, against the
// Functions handler and the edge handler. Fails with a sentence for each broken promise.

import { command, from } from "./command.mjs";

await command(
  "hostile",
  "Sends good and hostile callers to the Functions handler and the edge handler, over real HTTP.",
  [
    ["--seconds <n>", "how long", from(20), 60],
    ["--seed <n>", "which requests come when (default: drawn and shown)", from(0), Date.now() % 1_000_000],
  ],
  async ({ seed, seconds }, signal) => {
    const { hostile } = await import("../tests/hostile/run.mjs");
    const { faultsOf, listOf, percent, summaryOf } = await import("../tests/hostile/judge.mjs");
    console.error(`hostile: seed ${seed}, ${seconds} seconds`);
    const onProgress = (phase) => console.error(`… ${phase}`);
    const tally = await hostile({ seed, seconds, signal, onProgress });
    const summary = summaryOf({ seed, seconds }, tally);
    const { good, happened } = summary;
    const faults = faultsOf(summary, tally);
    const share = percent(good.answered / good.outside);
    return {
      data: { ...summary, faults },
      faults,
      good: `${good.answered} of ${good.outside} good turns answered (${share}), beside ${listOf(happened)}`,
    };
  },
);
