// Simulates fleets and measures one process: identity requests, and memory.

import { runProgram } from "../run.mjs";
import { tableOf } from "../table.mjs";
import { outageRows, refreshRows } from "./fleet.mjs";

const TITLES = {
  refreshes:
    "Requests to the identity endpoint in the busiest second of the first refresh; all instances started within one second:",
  outages:
    "An hour without the identity endpoint (503), from a minute before this package would refresh: 1,000 instances with a call every 10 s:",
  providers: "Providers in one process (`createFoundryProvider`), all asked at once, then in turn:",
  waiters:
    "Callers who all wait for the first token (`createBearerTokenProvider`), with a listener that takes 20 ms for each event:",
  sessions:
    "Conversations on one Copilot runtime, a turn each, all kept open: heap of this process, its memory and that of the runtime, in MB:",
};

/** Returns the rows of each table. `step` shows a step while it runs. */
export async function measureScale({ quick, signal, step }) {
  const measured = async (what, counts) => {
    const program = `benches/scale/${what}.mjs`;
    const rows = [];
    for (const count of counts)
      await step(`${count} ${what}`, async () => {
        const emulator = { logLimit: 20 };
        const run = await runProgram({ program, args: [String(count)], emulator, signal });
        if (!run.report) throw new Error(`${program} ${count} ended with code ${run.code}\n${run.stderr}`);
        rows.push({ [what]: count, "identity requests": run.identity, ...run.report });
      });
    return rows;
  };
  const data = {
    refreshes: refreshRows(),
    outages: outageRows(),
    providers: await measured("providers", quick ? [1, 100] : [1, 10, 100, 1_000, 10_000, 100_000]),
    waiters: await measured("waiters", quick ? [1, 1_000] : [1, 100, 1_000, 10_000, 100_000]),
  };
  if (process.platform === "linux")
    data.sessions = await conversations(quick ? [1, 10] : [1, 100, 1_000], { signal, step });
  return data;
}

async function conversations(counts, { signal, step }) {
  const rows = [];
  for (const count of counts) {
    const row = { conversations: count };
    for (const system of ["bare SDK", "provider", "agent"])
      await step(`${count} conversations, ${system}`, async () => {
        const args = [String(count), system];
        const program = "benches/scale/sessions.mjs";
        const run = await runProgram({
          program,
          args,
          emulator: { logLimit: 20 },
          timeoutMs: 900_000,
          signal,
        });
        if (!run.report) throw new Error(`${program} ${args} ended with code ${run.code}\n${run.stderr}`);
        const { heap, process, runtime } = run.report;
        row[system] = `${heap}, ${process} and ${runtime}`;
      });
    rows.push(row);
  }
  return rows;
}

/** Returns the tables in Markdown, each below its title. */
export const textOf = (data) =>
  Object.entries(data)
    .map(([name, rows]) => `${TITLES[name]}\n\n${tableOf(rows)}`)
    .join("\n\n");
