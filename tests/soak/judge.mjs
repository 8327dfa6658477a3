// Summarises a soak in figures, and lists what must not happen.

import { mostBad, mostGood } from "./bounds.mjs";
import { TOKEN_SECONDS } from "./run.mjs";

const MB = 1e6;
/** How much this process may grow between the medians of the second and the last quarter. */
const OWN_GROWTH = { share: 0.1, bytes: 10 * MB };
/**
 * How much a Copilot runtime that nobody replaces may grow per turn. It does grow: 1.0.14 by 250 to
 * 350 kB a turn with a static token, no faults and nothing of this package. Shorter runs are
 * warm-up.
 */
const RUNTIME_BYTES_PER_TURN = 400_000;
/** How much runtimes that agents replace may grow. The medians depend on the age of each. */
const AGENTS_GROWTH = { share: 0.25, bytes: 50 * MB };
const RUNTIME_MINUTES = 15;
/** A quarter with fewer samples says nothing. */
const LEAST_SAMPLES = 10;

/** Returns the figures of a run, as `--json` prints them. */
export function summaryOf({ seed, minutes, sessions }, { tally, memory, secrets, crowd }) {
  return {
    seed,
    minutes,
    sessions,
    ranSeconds: Math.round(tally.ranMs / 1000),
    turns: tally.turns,
    replies: tally.replies,
    aborted: tally.aborted,
    errors: Object.fromEntries([...tally.codes].sort()),
    turnsBySort: Object.fromEntries(tally.sorts),
    longestTurn: { ms: tally.longestMs, turn: tally.longest },
    revoked: { revocations: tally.episodes.filter(({ act }) => act === "revoke").length, ...tally.revoked },
    episodes: tally.episodes.length,
    modelRequests: tally.foundry,
    verdicts: Object.fromEntries(tally.verdicts),
    identity: identityOf(tally),
    memory: {
      ownRss: growthOf(memory, "own"),
      ownHeap: growthOf(memory, "heap"),
      usersRss: growthOf(memory, "users"),
      agentsRss: growthOf(memory, "agents"),
    },
    secrets: {
      tokensIssued: secrets.tokens,
      textsRead: secrets.texts,
      filesMB: Math.round(tally.filesBytes / MB),
      found: Object.fromEntries(secrets.found),
    },
    strays: tally.strays,
    crowd,
  };
}

/** Compares the requests to the identity endpoint with their limits. */
function identityOf({ episodes, ranMs, identity }) {
  const faults = episodes.filter(({ track }) => track === "identity");
  const revocations = episodes.filter(({ act }) => act === "revoke").length;
  const bad = faults.filter(({ fault }) => fault.kind !== "delay");
  const badAnswers = sum(bad.map(({ hits }) => hits));
  const badMost = sum(bad.map(({ fault, lastedMs }) => mostBad(fault, lastedMs)));
  const { steady, forced } = mostGood({ lifetimeMs: TOKEN_SECONDS * 1000, ranMs, revocations });
  return {
    requests: identity,
    most: steady + forced + badMost,
    good: identity - badAnswers,
    goodMost: steady + forced,
    steadyMost: steady,
    forcedMost: forced,
    bad: badAnswers,
    badMost,
  };
}

function growthOf(memory, field) {
  const quarters = memory.quarters(field);
  if (!quarters) return undefined;
  const { before, after, turns } = quarters;
  return {
    secondQuarterMB: round(before / MB),
    lastQuarterMB: round(after / MB),
    bytesPerTurn: Math.round((after - before) / Math.max(1, turns)),
  };
}

/** Returns a sentence for everything that must not happen. */
export function faultsOf(summary, { tally, memory, secrets, crowd }) {
  const faults = [...tally.wrong].map(
    ([kind, { times, examples }]) => `There was ${kind}, ${times} times: ${examples.join("; ")}`,
  );
  if (tally.strays.length > 0) {
    faults.push(
      `The process was told of ${tally.strays.length} strays: ${tally.strays.slice(0, 5).join("; ")}`,
    );
  }
  for (const [finding, times] of secrets.found) faults.push(`There was ${finding}, ${times} times.`);
  if (secrets.tokens === 0) faults.push("No token was seen on the wire, so none could be looked for.");
  if (tally.replies === 0) faults.push("No turn was answered.");
  for (const verdict of ["expired", "invalid", "missing", "wrong-audience"]) {
    const times = tally.verdicts.get(verdict);
    if (times) faults.push(`The resource was sent a token that is ${verdict}, ${times} times.`);
  }
  const { identity } = summary;
  if (identity.good > identity.goodMost) {
    faults.push(
      `Tokens were renewed ${identity.good} times; the schedule promises ${identity.goodMost} at most.`,
    );
  }
  for (const { track, fault, lastedMs, hits } of tally.episodes) {
    if (track !== "identity") continue;
    const most = fault.kind === "delay" ? Number.POSITIVE_INFINITY : mostBad(fault, lastedMs);
    if (hits > most) {
      faults.push(
        `A fault of the identity endpoint (${fault.kind} ${fault.status ?? ""}) was met ${hits} times in ${Math.round(lastedMs)} ms; ${most} at most are promised.`,
      );
    }
  }
  faults.push(...memoryFaults(memory, tally), ...(crowd?.faults ?? []));
  return faults;
}

/** Says what a run without faults has shown. */
export const goodOf = ({ turns }) => `${turns} turns ended as they should`;

function memoryFaults(memory, { ranMs }) {
  if (memory.samples.length < 4 * LEAST_SAMPLES) return [];
  const faults = [];
  const told = (who, { before, after, turns }) =>
    `${who} grew from ${round(before / MB)} to ${round(after / MB)} MB in ${turns} turns, between the second and the last quarter.`;
  const beyond = ({ before, after }, { share, bytes }) => after > before * (1 + share) + bytes;
  const own = memory.quarters("own");
  if (beyond(own, OWN_GROWTH)) faults.push(told("This process", own));
  if (ranMs < RUNTIME_MINUTES * 60_000) return faults;
  const agents = memory.quarters("agents");
  if (beyond(agents, AGENTS_GROWTH)) faults.push(told("The agents' runtimes", agents));
  const users = memory.quarters("users");
  if ((users.after - users.before) / Math.max(1, users.turns) > RUNTIME_BYTES_PER_TURN) {
    faults.push(told("The user's own runtime", users));
  }
  return faults;
}

function sum(numbers) {
  return numbers.reduce((total, one) => total + one, 0);
}

function round(number) {
  return Math.round(number * 10) / 10;
}
