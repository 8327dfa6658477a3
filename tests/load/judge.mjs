// Summarises a load in figures, and lists broken promises.

/** The share of the wished rate that must be reached. */
const REACHED = 0.97;
const TOKEN_SECONDS = 15;

/** Returns the figures of a load, as `--json` prints them. */
export function summaryOf({ rate, minutes, limit, seed }, run) {
  const { turns, sentMs, ranMs, tokens, unauthorized, servers } = run;
  const answered = turns.filter(({ lost, crossed, left }) => !lost && !crossed && !left);
  const times = answered.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
  const at = (share) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0);
  return {
    seed,
    minutes,
    wishedPerMinute: rate,
    limit,
    /** Turns that ended, by the time until the last of them. */
    endedPerMinute: Math.round((turns.length * 60_000) / Math.max(1, ranMs)),
    sentMs: Math.round(sentMs),
    ranMs: Math.round(ranMs),
    turns: turns.length,
    answered: answered.length,
    left: turns.filter(({ left }) => left).length,
    lost: turns.filter(({ lost }) => lost).length,
    /** How often each reason. */
    reasons: counted(turns.map(({ lost }) => lost?.split(":")[0]).filter(Boolean)),
    crossed: turns.filter(({ crossed }) => crossed).length,
    /** Turns that were told 503 with Retry-After, and how often all together. */
    refused: turns.filter(({ refused }) => refused > 0).length,
    refusals: turns.reduce((sum, { refused = 0 }) => sum + refused, 0),
    tookMs: { p50: at(0.5), p99: at(0.99), most: at(1) },
    tokens,
    unauthorized,
    servers,
  };
}

function counted(texts) {
  const counts = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

/** Returns a sentence for every broken promise. */
export function faultsOf(summary, run) {
  const { wishedPerMinute, minutes, endedPerMinute, turns, left, tokens, unauthorized, servers } = summary;
  const faults = [];
  for (const kind of ["lost", "crossed"]) {
    const bad = run.turns.filter((turn) => turn[kind]);
    const examples = bad.slice(0, 5).map((turn) => `${turn.prompt}: ${turn[kind]}`);
    if (bad.length > 0) faults.push(`${bad.length} turns were ${kind}: ${examples.join("; ")}`);
  }
  const wished = Math.round(wishedPerMinute * minutes);
  if (turns < wished) faults.push(`${turns} of ${wished} turns ended.`);
  // A machine that is too slow for the rate says so with 503.
  if (endedPerMinute < wishedPerMinute * REACHED && summary.refused === 0)
    faults.push(`${endedPerMinute} turns ended a minute; ${wishedPerMinute} were wished.`);
  if (left === 0) faults.push("Nobody left: a load without aborts shows less than is claimed.");
  // Each server has tokens of its own.
  const least = Math.floor((summary.sentMs / 1_000 / TOKEN_SECONDS) * Object.keys(servers).length * 0.8);
  if (tokens < least)
    faults.push(`There were ${tokens} tokens; on those of 15 s there are ${least} at least.`);
  // On a busy machine a token may expire on its way through the runtime, which then asks again.
  if (unauthorized > 0 && summary.refused === 0) faults.push(`The resource rejected ${unauthorized} tokens.`);
  for (const [name, { alive, exit, held }] of Object.entries(servers)) {
    if (!alive) faults.push(`The process of ${name} has ended.`);
    if (held !== 0) faults.push(`${name} still runs ${held} turns.`);
    if (exit !== 0) faults.push(`${name} did not end as it was told to (${exit}).`);
  }
  return faults;
}

/** Says what a load without faults has shown. */
export const goodOf = ({ answered, left, endedPerMinute, refused }) =>
  `${answered} turns answered (${refused} of them at a later time, as told) and ${left} left, ${endedPerMinute} a minute; none lost, none crossed`;
