// Turns cases into rows: runs the systems, and computes medians, ratios and verdicts.

import { OURS } from "./cases.mjs";
import { median } from "./median.mjs";
import { runProgram } from "./run.mjs";
import { sizes } from "./sizes.mjs";

const ROUNDS = 5;

/**
 * Runs the cases and returns their rows: `{ case, ours, peer, peerName, limit, ratio, goal, ok }`,
 * with `title`, `unit`, `shown`, `notes` and `error` for the table. `step` wraps each case, to show
 * it.
 */
export async function measure(cases, { quick, signal, step }) {
  const runner = new Runner(quick, signal);
  const rows = [];
  for (const one of cases) {
    const work = step(one.name, (tell) => (one.sizes ? weighed(one) : run(one, runner, tell)));
    rows.push(...(await work.catch((error) => broken(one, error))));
    signal.throwIfAborted();
  }
  return rows;
}

/** Computed once: packing takes seconds. */
let known;

async function weighed(one) {
  known ??= sizes();
  const found = one.sizes(await known);
  return one.against.map((versus) => rowOf(one, versus, { ...found, limit: one.limit }));
}

async function run(one, runner, tell) {
  const peers = one.against.map(({ peer }) => peer);
  const measuredLimit = typeof one.limit === "string" ? [one.limit] : [];
  const { ours = OURS } = one;
  const systems = [...new Set([ours, ...peers, ...measuredLimit])];
  const found = new Map(systems.map((name) => [name, []]));
  const remarks = new Map();
  const rounds = runner.roundsOf(one);
  // Round by round, so that a machine that becomes busy slows all systems alike.
  for (let round = 0; round < rounds; round += 1) {
    for (const name of one.together ? [systems.join(" and ")] : systems) {
      tell(`${round + 1} of ${rounds}: ${name}`);
      const got = await runner.run(one, name, round);
      for (const each of one.together ? systems : [name]) {
        const part = one.together ? { ...got, report: got.report[each] } : got;
        found.get(each).push(one.figure(part));
        remarks.set(each, one.remark?.(part));
      }
    }
  }
  const of = (name) => median(found.get(name));
  return one.against.map((versus) =>
    rowOf(one, versus, {
      ours: of(ours),
      peer: of(versus.peer),
      limit: measuredLimit.length > 0 ? of(one.limit) : one.limit,
      ...(one.together
        ? { ratio: median(found.get(ours).map((own, at) => own / found.get(versus.peer)[at])) }
        : {}),
      remark: remarks.get(versus.peer),
    }),
  );
}

/** Runs programs. Cases that read different figures of the same program share its runs. */
class Runner {
  #runs = new Map();
  #quick;
  #signal;

  constructor(quick, signal) {
    this.#quick = quick;
    this.#signal = signal;
  }

  roundsOf({ rounds = ROUNDS, quickRounds = 1 }) {
    return this.#quick ? quickRounds : rounds;
  }

  async run(one, name, round) {
    const { program, args = [], quickArgs = args, flags, timeoutMs, emulator } = one;
    const settings = { program, args: [name, ...(this.#quick ? quickArgs : args)], flags, timeoutMs };
    const key = JSON.stringify([settings, round]);
    const run = this.#runs.get(key) ?? (await runProgram({ ...settings, emulator, signal: this.#signal }));
    this.#signal.throwIfAborted();
    this.#runs.set(key, run);
    if (!one.mayFail && (run.code !== 0 || run.report === undefined)) {
      const said = run.stderr.trim().split("\n").slice(-12).join("\n");
      throw new Error(`${program} ${settings.args.join(" ")} ended with code ${run.code}\n${said}`);
    }
    return run;
  }
}

function rowOf(
  one,
  { peer: peerName = null, goal },
  { ours, peer = null, limit = null, remark, note, ...given },
) {
  const ratio = given.ratio ?? (peer ? ours / peer : null);
  const ok = goal.reached({ ours, peer, limit, ratio });
  const notes = [...(note ? [note] : []), ...(remark ? [`${peerName}: ${remark}`] : [])];
  return {
    ...{ case: one.name, ours, peer, peerName, limit, ratio, goal: goal.text, ok },
    ...{ title: one.title, unit: one.unit, shown: ratio === null ? "" : (goal.shown?.(ratio) ?? ""), notes },
  };
}

/** Returns the rows of a case that could not run: they stay in the table. */
function broken(one, error) {
  return one.against.map(({ peer = null, goal }) => ({
    ...{
      case: one.name,
      ours: null,
      peer: null,
      peerName: peer,
      limit: null,
      ratio: null,
      goal: goal.text,
      ok: false,
    },
    ...{ title: one.title, unit: one.unit, shown: "", notes: [], error: error.message },
  }));
}
