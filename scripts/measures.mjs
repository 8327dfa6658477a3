// What `npm run bench` and `npm run tool` measure. command.mjs says what the parts of each are.

import { CASES } from "../benches/cases.mjs";
import { FAULTS, GROUPS, QUICK } from "../benches/faults/catalogue.mjs";
import { runProgram } from "../benches/run.mjs";
import { RUST_CASES } from "../benches/rust-cases.mjs";
import { tableOf } from "../benches/table.mjs";
import { lineOf, planOf } from "../tests/soak/plan.mjs";
import { quickBuild } from "./build.mjs";
import { from, names, seed, writes } from "./command.mjs";
import { step } from "./steps.mjs";

/** Those of Rust run by name alone: their peers take minutes to compile. */
const ALL_CASES = [...CASES, ...RUST_CASES];
const CASE_NAMES = [...new Set(ALL_CASES.flatMap(({ name, group = [] }) => [name, group].flat()))];
const FAULT_NAMES = [...GROUPS, ...FAULTS.map(({ id }) => id)];

/** Measures every case beside its peers, in one run. */
const bench = {
  about: `Measures the package and its peers side by side: five fresh processes of each, medians, in about five minutes. Goals judge ratios,
counts, sizes and whether somebody waits: times are those of this machine. Cases: ${CASE_NAMES.join(", ")}.`,
  options: [
    ["--quick", "one process of each (three to measure a start) and fewer turns; under a minute", false],
    ["--only <cases>", "only these cases, separated by commas", names("case", CASE_NAMES)],
    ["--runs <n>", "repeat n times: show the last figures, name the verdicts that differ", from(1), 1],
    writes("bench"),
    ["--strict", "exit code 1 also when a goal is missed, not only when a case cannot run"],
  ],
  async run({ quick, only, runs, strict }, signal) {
    const { measure } = await import("../benches/measure.mjs");
    const { dataOf, differing, environmentOf, pageOf, textOf } = await import("../benches/report.mjs");
    const cases = only
      ? ALL_CASES.filter(({ name, group }) => only.some((one) => one === name || one === group))
      : CASES;
    const environment = environmentOf({ quick });
    const all = [];
    for (let n = 1; n <= runs; n += 1) all.push(await measure(cases, { quick, signal, step }));
    const rows = all.at(-1);
    environment.runs = { count: runs, differing: differing(all) };
    return {
      data: { ...environment, rows: dataOf(rows) },
      text: textOf(rows, environment.runs),
      page: () => pageOf(rows, environment),
      faults: rows
        .filter(({ error, ok }) => error || (strict && !ok))
        .map((row) => `${row.case}: ${row.error ?? `missed: ${row.goal}`}`),
    };
  },
};

/**
 * Plays faults one after another and shows how a conversation ends. Fails when this package loses a
 * call, ends the process, or reports an error badly.
 */
const faults = {
  about:
    "Plays every fault against the agent, the provider, getBearerTokenProvider and a token per session; about ten minutes.",
  options: [
    ["--quick", "some faults of each group; under two minutes"],
    ["--only <names>", "only these faults or groups, separated by commas", names("fault", FAULT_NAMES)],
    writes("faults"),
  ],
  async run({ quick, only = quick ? QUICK : GROUPS }, signal) {
    const { machine, runFaults } = await import("../benches/faults/run.mjs");
    const { pageOf, terminalTable } = await import("../benches/faults/table.mjs");
    const chosen = FAULTS.filter(({ id, group }) => only.includes(id) || only.includes(group));
    const began = performance.now();
    const onCell = ({ fault, contender, cell: { served = 0, failed = 0 }, done, of }) =>
      console.error(`… ${done}/${of} ${fault.id}, ${contender}: ${served} served, ${failed} failed`);
    const rows = await runFaults(chosen, { signal, onCell });
    const seconds = Math.round((performance.now() - began) / 1000);
    const data = { ...machine(), seconds, complete: rows.length === chosen.length, rows };
    return {
      data,
      text: terminalTable(rows),
      page: () => pageOf(data),
      faults: rows.flatMap(({ id, problems }) => problems.map((problem) => `${id}: ${problem}`)),
      good: `${rows.length} faults: no call lost, no process ended, every error reported well`,
    };
  },
};

/** Simulates fleets, then measures many providers and sessions: identity requests and memory. */
const scale = {
  about: `Simulates fleets of 10 to 100,000 instances, then measures 1 to 10,000 providers in one process and up to 200 real Copilot sessions on
one runtime. About two minutes; sessions are measured on Linux only.`,
  options: [["--quick", "fewer providers and sessions"], writes("scale")],
  async run({ quick }, signal) {
    const { outageRows, refreshRows } = await import("../benches/scale/fleet.mjs");
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
      providers: await measured("providers", quick ? [1, 100] : [1, 10, 100, 1_000, 10_000]),
    };
    if (process.platform === "linux")
      data.sessions = await measured("sessions", quick ? [1, 10] : [1, 10, 50, 100, 200]);
    const titles = {
      refreshes:
        "Requests to the identity endpoint in the busiest second of the first refresh; all instances started within one second:",
      outages:
        "An hour without the identity endpoint (503), from a minute before the refresh of 10,000 instances with tokens of 24 h and a call every 10 s:",
      providers: "Providers in one process (`createFoundryProvider`), all asked at once, then in turn:",
      sessions: "Sessions of one Copilot runtime, a turn each, all kept open:",
    };
    const tables = Object.entries(data).map(([name, rows]) => `${titles[name]}\n\n${tableOf(rows)}`);
    const text = tables.join("\n\n");
    return { data, text, page: () => text };
  },
};

/** Runs good and hostile callers side by side. Fails with a sentence for each broken promise. */
const hostile = {
  about: "Sends good and hostile callers to the Functions handler and the edge handler, over real HTTP.",
  options: [["--seconds <n>", "how long", from(20), 60], seed("which requests come when")],
  async run({ seed, seconds }, signal) {
    const { hostile } = await import("../tests/hostile/run.mjs");
    const { faultsOf, listOf, percent, summaryOf } = await import("../tests/hostile/judge.mjs");
    console.error(`hostile: seed ${seed}, ${seconds} seconds`);
    const onProgress = (phase) => console.error(`… ${phase}`);
    const tally = await hostile({ seed, seconds, signal, onProgress });
    const data = summaryOf({ seed, seconds }, tally);
    const { good, happened } = data;
    const share = percent(good.answered / good.outside);
    const faults = faultsOf(data, tally);
    return {
      data: { ...data, faults },
      faults,
      good: `${good.answered} of ${good.outside} good turns answered (${share}), beside ${listOf(happened)}`,
    };
  },
};

/**
 * Runs many sessions under planned faults (the same seed gives the same plan), then a crowd that
 * aborts turns at a chat server on a busy machine. Fails on lost or late turns, leaks, and too many
 * requests or too much memory.
 */
const soak = {
  about:
    "Lets many sessions converse on tokens of 15 s while faults come by a plan, then a crowd abort its turns.",
  options: [
    seed("which faults come, and when"),
    ["--minutes <n>", "how long", from(1), 2],
    ["--sessions <n>", "how many conversations", from(1), 20],
    ["--crowd <seconds>", "how long the crowd; 0 leaves it out", from(0), 60],
    ["--plan", "only show which faults would come, and when"],
  ],
  async run({ seed, minutes, sessions, crowd: seconds, plan }, signal) {
    const planned = planOf({ seed, minutes });
    const head = `seed ${seed}, ${minutes} minutes`;
    if (plan) return { data: planned, text: [head, ...planned.map(lineOf)].join("\n") };
    const { soak } = await import("../tests/soak/run.mjs");
    const { faultsOf, summaryOf } = await import("../tests/soak/judge.mjs");
    const { crowd } = await import("../tests/soak/crowd/run.mjs");
    console.error(`soak: ${head}, ${sessions} sessions, ${planned.length} episodes`);
    const onProgress = ({ ranMs, tally: { turns, replies }, emulator: { counts } }) =>
      console.error(
        `… ${Math.round(ranMs / 1000)} s: ${turns} turns, ${replies} replies, ${counts.identity} identity requests`,
      );
    const progressMs = process.stderr.isTTY ? 10_000 : 30_000;
    const result = await soak({ seed, minutes, sessions, signal, progressMs, onProgress });
    if (seconds > 0) console.error(`… a crowd of 20 users for ${seconds} s, both cores busy`);
    const met = seconds > 0 && !signal.aborted ? await crowd({ seed, seconds, signal }) : undefined;
    const data = { ...summaryOf({ seed, minutes, sessions }, result), crowd: met };
    const faults = [...faultsOf(data, result), ...(met?.faults ?? [])];
    return { data: { ...data, faults }, faults, good: "every turn ended as it should" };
  },
};

/**
 * Sends turns to the chat handler behind Express and Hono. Fails with a sentence for each broken
 * promise: a turn that is lost or answered with another's reply, a rate that is not reached.
 */
const load = {
  about: "Sends chat turns to Express and Hono with the shared handler, on tokens of 15 s, with aborts.",
  options: [
    ["--rate <n>", "turns a minute, of both together", from(60), 2_000],
    ["--minutes <n>", "how long", from(1), 1],
    ["--limit <n>", "how many turns each server runs at once; it answers others 503", from(1), 400],
    seed("which requests come how"),
  ],
  // The load is on the runtime and on TypeScript: unoptimized WebAssembly will do.
  prepare: quickBuild,
  async run({ rate, minutes, limit, seed }, signal) {
    const { load } = await import("../tests/load/run.mjs");
    const { faultsOf, summaryOf } = await import("../tests/load/judge.mjs");
    console.error(`load: seed ${seed}, ${rate} turns a minute, ${minutes} minutes`);
    const onProgress = (phase) => console.error(`… ${phase}`);
    const run = await load({ rate, minutes, limit, seed, signal, onProgress });
    const data = summaryOf({ rate, minutes, limit, seed }, run);
    const { answered, left, endedPerMinute, refused } = data;
    return {
      data,
      faults: faultsOf(data, run),
      good: `${answered} turns answered (${refused} of them at a later time, as told) and ${left} left, ${endedPerMinute} a minute; none lost, none crossed`,
    };
  },
};

/** Sends requests through a gateway. Fails with a sentence for each broken promise. */
const gateway = {
  about:
    "Sends requests through a gateway, on tokens of 15 s, with revocations, faults, cut streams and leavers.",
  options: [["--minutes <n>", "how long", from(1), 2], seed("which requests come how")],
  prepare: quickBuild,
  async run({ minutes, seed }, signal) {
    const { gatewayLoad } = await import("../tests/gateway-load/run.mjs");
    const { faultsOf, summaryOf } = await import("../tests/gateway-load/judge.mjs");
    console.error(`gateway: seed ${seed}, ${minutes} minutes`);
    const onProgress = (phase) => console.error(`… ${phase}`);
    const run = await gatewayLoad({ minutes, seed, signal, onProgress });
    const data = summaryOf({ minutes, seed }, run);
    const good = `${data.answered} requests answered, ${data.streams} streams with the resource's own bytes; none lost`;
    return { data, faults: faultsOf(data, run), good };
  },
};

export const MEASURES = { bench, faults, scale, hostile, load, gateway, soak };
