// What `npm run bench` and `npm run tool` measure. command.mjs says what the parts of each are.

import { CASES } from "../benches/cases.mjs";
import { FAULTS, GROUPS, QUICK } from "../benches/faults/catalogue.mjs";
import { RUST_CASES } from "../benches/rust-cases.mjs";
import * as rustCatalogue from "../benches/rust-faults/catalogue.mjs";
import { lineOf, planOf } from "../tests/soak/plan.mjs";
import { quickBuild } from "./build.mjs";
import { from, names, seed, writes } from "./command.mjs";
import { installAzurite, linkPackage } from "./functions-workers.mjs";
import { nativeGateway } from "./native.mjs";
import { step } from "./steps.mjs";

/** Those of Rust run by name alone: their peers take minutes to compile. */
const ALL_CASES = [...CASES, ...RUST_CASES];
const CASE_NAMES = [...new Set(ALL_CASES.flatMap(({ name, group = [] }) => [name, group].flat()))];
const FAULT_NAMES = [...GROUPS, ...FAULTS.map(({ id }) => id)];

/** Measures every case beside its peers, in one run. */
const bench = {
  about: `Measures the package and its peers side by side: five fresh processes of each, medians, in about a quarter of an hour. Goals judge ratios,
counts, sizes and whether somebody waits: times are those of this machine. Cases: ${CASE_NAMES.join(", ")}.`,
  options: [
    ["--quick", "one process of each (three to measure a start) and fewer turns; under a minute", false],
    ["--only <cases>", "only these cases, separated by commas", names("case", CASE_NAMES)],
    ["--runs <n>", "repeat n times: show the last figures, name the verdicts that differ", from(1), 1],
    ["--node <major>", "on this Node, with the newest peers, all installed into target/", from(20)],
    writes("bench"),
    ["--strict", "exit code 1 also when a goal is missed, not only when a case cannot run"],
  ],
  async run({ quick, only, runs, strict, node }, signal) {
    const { measure } = await import("../benches/measure.mjs");
    const { dataOf, differing, environmentOf, pageOf, textOf } = await import("../benches/report.mjs");
    const { useNewest } = await import("../benches/tree.mjs");
    const cases = only
      ? ALL_CASES.filter(({ name, group }) => only.some((one) => one === name || one === group))
      : CASES;
    if (cases.some(({ group }) => group === "blob")) await installAzurite();
    if (node) await step(`Node ${node} and the newest peers`, () => useNewest(node));
    const environment = environmentOf({ quick, cases });
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

const RUST_FAULTS = rustCatalogue.FAULTS.map(({ id }) => id);
const RUST_CLIENTS = Object.keys(rustCatalogue.CLIENTS);

/** Plays faults of the identity endpoint against Rust's clients of Azure, on ours and on azure_identity's tokens. */
const rustFaults = {
  about: `Lets clients of Azure for Rust read from Azurite and ask a model, each on our tokens and on those of azure_identity, while the
identity endpoint fails. Compiles them; about eight minutes. Fails when ours lose a call that could be served.`,
  options: [
    ["--quick", "three faults, our tokens alone; under a minute, without the compiler", false],
    ["--only <names>", "only these faults, separated by commas", names("fault", RUST_FAULTS)],
    ["--clients <names>", "only these clients, separated by commas", names("client", RUST_CLIENTS)],
    writes("rust-faults"),
  ],
  prepare: quickBuild,
  async run({ quick, only = quick ? rustCatalogue.QUICK : RUST_FAULTS, clients }, signal) {
    await installAzurite();
    const { compile, machine, runFaults } = await import("../benches/rust-faults/run.mjs");
    const { lineOf, pageOf } = await import("../benches/rust-faults/table.mjs");
    const { problemsOf } = await import("../benches/rust-faults/judge.mjs");
    const binary = await compile();
    const began = performance.now();
    const chosen = rustCatalogue.FAULTS.filter(({ id }) => only.includes(id));
    const onCell = (row) => console.error(`… ${lineOf(row)}`);
    const rows = await runFaults(chosen, { binary, clients, ours: quick, signal, onCell });
    const seconds = Math.round((performance.now() - began) / 1000);
    const data = { machine: { ...machine(), seconds }, rows };
    return {
      data,
      text: rows.map(lineOf).join("\n"),
      page: () => pageOf(data),
      faults: problemsOf(rows),
      good: `${rows.length} programs, no call lost that could be served`,
    };
  },
};

/** Simulates fleets, then measures many providers and sessions: identity requests and memory. */
const scale = {
  about: `Simulates fleets of 10 to 100,000 instances, then measures 1 to 100,000 providers in one process and up to 1,000 real Copilot sessions on
one runtime, beside the SDK alone. About six minutes; sessions are measured on Linux only.`,
  options: [["--quick", "fewer providers and sessions"], writes("scale")],
  async run({ quick }, signal) {
    const { measureScale, textOf } = await import("../benches/scale/run.mjs");
    const data = await measureScale({ quick, signal, step });
    return { data, text: textOf(data), page: () => textOf(data) };
  },
};

const minutes = ["--minutes <n>", "how long", from(1)];

/**
 * The run of a command that plays something by a seed, in `tests/<folder>`: run.mjs plays, and
 * judge.mjs gives the figures, a sentence for each broken promise, and one for a good end.
 */
const judged = (folder) => async (options, signal) => {
  const { run } = await import(`../tests/${folder}/run.mjs`);
  const { faultsOf, goodOf, summaryOf } = await import(`../tests/${folder}/judge.mjs`);
  console.error(Object.entries(options).flat().join(" "));
  const onProgress = (phase) => console.error(`… ${phase}`);
  const met = await run({ ...options, signal, onProgress });
  const summary = summaryOf(options, met);
  const faults = faultsOf(summary, met);
  return { data: { ...summary, faults }, faults, good: goodOf(summary) };
};

const hostile = {
  about: "Sends good and hostile callers to the Functions handler and the edge handler, over real HTTP.",
  options: [["--seconds <n>", "how long", from(20), 60], seed("which requests come when")],
  run: judged("hostile"),
};

const soak = {
  about: `Lets many sessions converse on tokens of 15 s while faults come by a plan, then a crowd abort its turns.
The same seed gives the same plan.`,
  options: [
    seed("which faults come, and when"),
    [...minutes, 2],
    ["--sessions <n>", "how many conversations", from(1), 20],
    ["--crowd <seconds>", "how long the crowd; 0 leaves it out", from(0), 60],
    ["--plan", "only show which faults would come, and when"],
  ],
  async run({ plan, ...options }, signal) {
    if (!plan) return judged("soak")(options, signal);
    const data = planOf(options);
    return { data, text: data.map(lineOf).join("\n") };
  },
};

const load = {
  about: "Sends chat turns to Express and Hono with the shared handler, on tokens of 15 s, with aborts.",
  options: [
    ["--rate <n>", "turns a minute, of both together", from(60), 2_000],
    [...minutes, 1],
    ["--limit <n>", "how many turns each server runs at once; it answers others 503", from(1), 400],
    seed("which requests come how"),
  ],
  // The load is on the runtime and on TypeScript: unoptimized WebAssembly will do.
  prepare: quickBuild,
  run: judged("load"),
};

const gateway = {
  about:
    "Sends requests through a gateway, on tokens of 15 s, with revocations, faults, cut streams and leavers.",
  options: [
    [...minutes, 2],
    seed("which requests come how"),
    ["--native", "through the native gateway of crates/gateway, in a debug build", false],
  ],
  prepare: quickBuild,
  async run(options, signal) {
    if (options.native) await nativeGateway();
    return judged("gateway-load")(options, signal);
  },
};

const workers = {
  about: `Lets callers converse with several workers of the Azure Functions app, which share nothing but Azurite: on tokens
of 15 s, with a worker killed every 20 s and storage that fails. Installs Azurite.`,
  options: [
    seed("who asks when, which worker is killed, and which request to the storage fails"),
    [...minutes, 2],
    ["--workers <n>", "how many", from(1), 3],
    ["--conversations <n>", "how many", from(1), 200],
  ],
  async prepare() {
    await quickBuild();
    linkPackage();
    await installAzurite();
  },
  run: judged("workers"),
};

export const MEASURES = {
  bench,
  faults,
  "rust-faults": rustFaults,
  scale,
  hostile,
  load,
  gateway,
  soak,
  workers,
};
