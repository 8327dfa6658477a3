// `npm run tool scale`: simulates fleets, then measures many providers and sessions: their requests
// to the identity endpoint, and their memory.

import { runProgram } from "../benches/run.mjs";
import { tableOf } from "../benches/table.mjs";
import { command, writes } from "./command.mjs";
import { step } from "./steps.mjs";

const TITLES = {
  refreshes:
    "Requests to the identity endpoint in the busiest second of the first refresh; all instances started within one second:",
  outages:
    "An hour without the identity endpoint (503), from a minute before the refresh of 10,000 instances with tokens of 24 h and a call every 10 s:",
  providers: "Providers in one process (`createFoundryProvider`), all asked at once, then in turn:",
  sessions: "Sessions of one Copilot runtime, a turn each, all kept open:",
};

await command(
  "scale",
  `Simulates fleets of 10 to 100,000 instances, then measures 1 to 10,000 providers in one process and up to 200 real Copilot sessions on
one runtime. About two minutes; sessions are measured on Linux only.`,
  [["--quick", "fewer providers and sessions"], writes("scale", "docs/reference/scale.md")],
  async ({ quick }, signal) => {
    const { outageRows, refreshRows } = await import("../benches/scale/fleet.mjs");
    const measured = async (what, counts) => {
      const rows = [];
      for (const count of counts)
        rows.push(await step(`${count} ${what}`, () => program(what, count, signal)));
      return rows;
    };
    const data = {
      refreshes: refreshRows(),
      outages: outageRows(),
      providers: await measured("providers", quick ? [1, 100] : [1, 10, 100, 1_000, 10_000]),
    };
    if (process.platform === "linux")
      data.sessions = await measured("sessions", quick ? [1, 10] : [1, 10, 50, 100, 200]);
    const text = Object.entries(data).map(([name, rows]) => `${TITLES[name]}\n\n${tableOf(rows)}`);
    return { data, text: text.join("\n\n"), page: () => text.join("\n\n") };
  },
);

async function program(what, count, signal) {
  const program = `benches/scale/${what}.mjs`;
  const run = await runProgram({ program, args: [String(count)], emulator: { logLimit: 20 }, signal });
  if (!run.report) throw new Error(`${program} ${count} ended with code ${run.code}\n${run.stderr}`);
  return { [what]: count, "identity requests": run.identity, ...run.report };
}
