// `npm run tool faults`: plays faults one after another and shows how a conversation ends: with
// this package, with `getBearerTokenProvider`, and with one credential call per session. Fails when
// this package loses a call, ends the process, or reports an error badly.

import { FAULTS, GROUPS, QUICK } from "../benches/faults/catalogue.mjs";
import { command, names, writes } from "./command.mjs";

const NAMES = [...GROUPS, ...FAULTS.map(({ id }) => id)];

await command(
  "faults",
  "Plays every fault against the agent, the provider, getBearerTokenProvider and a token per session; about ten minutes.",
  [
    ["--quick", "some faults of each group; under two minutes"],
    ["--only <names>", "only these faults or groups, separated by commas", names("fault", NAMES)],
    writes("faults", "docs/reference/faults.md"),
  ],
  async ({ quick, only = quick ? QUICK : GROUPS }, signal) => {
    const { machine, runFaults } = await import("../benches/faults/run.mjs");
    const { pageOf, terminalTable } = await import("../benches/faults/table.mjs");
    const faults = FAULTS.filter(({ id, group }) => only.includes(id) || only.includes(group));
    const began = performance.now();
    const onCell = ({ fault, contender, cell: { served = 0, failed = 0 }, done, of }) =>
      console.error(`… ${done}/${of} ${fault.id}, ${contender}: ${served} served, ${failed} failed`);
    const rows = await runFaults(faults, { signal, onCell });
    const seconds = Math.round((performance.now() - began) / 1000);
    const data = { ...machine(), seconds, complete: rows.length === faults.length, rows };
    return {
      data,
      text: terminalTable(rows),
      page: () => pageOf(data),
      faults: rows.flatMap(({ id, problems }) => problems.map((problem) => `${id}: ${problem}`)),
      good: `${rows.length} faults: no call lost, no process ended, every error reported well`,
    };
  },
);
