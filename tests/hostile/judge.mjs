// Summarises a run in figures, and lists broken promises.

/** How much memory a server may use above its quiet level. */
const MOST_MB = 300;
/** The fewest aborts, revocations and cut streams for a run to mean anything. */
const LEAST = 100;
/** The share of turns outside of the faults that must be answered. */
const ANSWERED = 0.99;

/** Returns the figures of a run, as `--json` prints them. */
export function summaryOf({ seed, seconds }, tally) {
  const outside = tally.turns.filter((turn) => !tally.isInsideFaults(turn));
  const answered = outside.filter(isAnswered);
  const logged = (code) => Object.values(tally.held.logs).reduce((sum, log) => sum + (log[code] ?? 0), 0);
  return {
    seed,
    seconds,
    ranSeconds: Math.round(tally.ranMs / 1_000),
    good: {
      turns: tally.turns.length,
      lost: tally.turns.filter(({ lost }) => lost).length,
      outside: outside.length,
      answered: answered.length,
      told: countsOf(outside.filter(({ code }) => code).map(({ server, code }) => `${server} ${code}`)),
      inside: countsOf(
        tally.turns
          .filter((turn) => tally.isInsideFaults(turn))
          .map((turn) => `${turn.server} ${turn.code ?? (turn.lost ? "lost" : "answered")}`),
      ),
    },
    latency: Object.fromEntries(
      Object.keys(tally.servers).map((server) => [server, latencyOf(server, tally)]),
    ),
    happened: {
      aborts: logged("chat/client-closed"),
      revocations: tally.revocations.met,
      cuts: tally.cuts,
    },
    hostile: { ...tally.hostile, "slow reader": { "cut off": logged("chat/slow-reader") } },
    memory: Object.fromEntries(Object.entries(tally.servers).map(([name, { memory }]) => [name, memory])),
    held: tally.held.held,
    exits: Object.fromEntries(Object.entries(tally.servers).map(([name, { exit }]) => [name, exit])),
  };
}

/** Returns a sentence for every broken promise. */
export function faultsOf(summary, tally) {
  const { good, happened, held } = summary;
  const faults = [];
  const lost = tally.turns.filter((turn) => turn.lost);
  if (lost.length > 0) {
    const examples = lost.slice(0, 5).map(({ prompt, lost: how }) => `${prompt}: ${how}`);
    faults.push(`${lost.length} turns of good callers were lost: ${examples.join("; ")}`);
  }
  if (good.answered < good.outside * ANSWERED || good.outside === 0) {
    faults.push(
      `Of ${good.outside} turns outside of the faults ${good.answered} were answered, ${percent(good.answered / good.outside)}; 99 % at least are promised. The others were told: ${listOf(good.told)}.`,
    );
  }
  for (const [name, count] of Object.entries(happened)) {
    if (count < LEAST)
      faults.push(`There were ${count} ${name}; a run with fewer than ${LEAST} shows nothing.`);
  }
  for (const [name, { alive, exit, memory, lastWords }] of Object.entries(tally.servers)) {
    if (!alive) faults.push(`The process of ${name} has ended in the storm: ${lastWords}`);
    else if (exit !== 0)
      faults.push(`The process of ${name} did not end as it was told to (${exit}): ${lastWords}`);
    if (memory && memory.mostMB > memory.quietMB + MOST_MB) {
      faults.push(
        `${name} took ${memory.mostMB} MB, ${memory.quietMB} in the quiet; ${MOST_MB} more are allowed.`,
      );
    }
    if (held[name] !== 0) faults.push(`${name} still holds ${held[name]} slots after everybody has gone.`);
    const calm = tally.turns.filter(({ server, phase }) => server === name && phase === "calm");
    if (!calm.some(isAnswered)) faults.push(`${name} answered nobody after the storm.`);
  }
  if (tally.wrong.length > 0)
    faults.push(`Hostile callers got what they should not: ${tally.wrong.join("; ")}`);
  return faults;
}

/** Says what a run without faults has shown. */
export const goodOf = ({ good: { answered, outside }, happened }) =>
  `${answered} of ${outside} good turns answered (${percent(answered / outside)}), beside ${listOf(happened)}`;

/** Reported, not judged: how long a good caller waits in the storm, compared with the quiet. */
function latencyOf(server, tally) {
  const of = (phase) => {
    const turns = tally.turns.filter(
      (turn) => turn.server === server && turn.phase === phase && isAnswered(turn),
    );
    const unhurt = turns.filter((turn) => !tally.isInsideFaults(turn) && !tally.mayHaveBeenCut(turn));
    const times = unhurt.map(({ began, ended }) => ended - began);
    times.sort((one, other) => one - other);
    const at = (share) =>
      Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
    return { turns: times.length, p50Ms: at(0.5), p99Ms: at(0.99) };
  };
  const [quiet, storm, revoking] = ["quiet", "storm", "revoking"].map(of);
  return { quiet, storm, revoking, times: Math.round((10 * storm.p99Ms) / Math.max(1, quiet.p99Ms)) / 10 };
}

function isAnswered({ code, lost, reply }) {
  return code === undefined && lost === undefined && reply !== undefined;
}

function countsOf(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function listOf(counts) {
  const parts = Object.entries(counts)
    .sort(([, one], [, other]) => other - one)
    .map(([name, times]) => `${name} ${times}`);
  return parts.join(", ") || "none";
}

function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}
