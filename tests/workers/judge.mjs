// Judges a run of several workers: figures, and a sentence for each broken promise.

/** The share of turns that must be answered at the first try, or after the waits that were told. */
const ANSWERED = 0.9;
/** What a turn may cost in requests to the storage, beside renewals and repeated requests. */
const REQUESTS_A_TURN = 6;
/** A token of 15 s is renewed no earlier than after 5 s; a worker has two, for model and storage. */
const TOKEN_RENEWAL_MS = 5_000;
const TOKENS = 2;
const RENEWAL_MS = 10_000;

/** Returns the figures, as `--json` prints them. */
export function summaryOf({ workers, conversations, minutes, seed }, met) {
  const { turns, killed, starts, faults, calls, bytes, identity, ranMs } = met;
  const good = turns.filter(({ failed }) => !failed);
  // Every answer before the last said how long to wait.
  const asTold = good.filter(({ answers, waits }) => waits === answers.length - 1);
  const attempts = turns.reduce((sum, { answers }) => sum + answers.length, 0);
  const times = good.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
  const at = (share) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0);
  const others = turns.filter((turn) => !asTold.includes(turn));
  return {
    seed,
    minutes,
    workers,
    conversations,
    ranMs: Math.round(ranMs),
    killed,
    starts,
    turns: turns.length,
    answered: good.length,
    firstTry: good.filter(({ answers }) => answers.length === 1).length,
    asTold: asTold.length,
    asToldShare: Number((asTold.length / Math.max(1, turns.length)).toFixed(3)),
    /** The answers of the other turns before their last. Status 0 and 502: the worker was killed. */
    others: counted(others.flatMap(({ answers, failed }) => (failed ? answers : answers.slice(0, -1)))),
    answers: counted(turns.flatMap(({ answers }) => answers)),
    failed: turns.length - good.length,
    wrong: turns.flatMap(({ wrong }) => wrong).slice(0, 20),
    tookMs: { p50: at(0.5), p99: at(0.99), most: at(1) },
    storage: {
      faults,
      requests: calls.length,
      aTurn: Number((calls.length / Math.max(1, attempts)).toFixed(2)),
      bytesATurn: Math.round(bytes / Math.max(1, attempts)),
      calls: counted(calls),
      most: mostRequests({ attempts, faults, ranMs, workers, conversations }),
    },
    identity: { requests: identity, most: mostTokens({ starts, workers, ranMs }) },
  };
}

/** Requests of all attempts, two for each fault (again, or to look), and renewals of all turns at once. */
function mostRequests({ attempts, faults, ranMs, workers, conversations }) {
  return (
    attempts * REQUESTS_A_TURN +
    faults * 2 +
    Math.ceil(ranMs / RENEWAL_MS) * Math.min(conversations, workers * 100)
  );
}

/** The tokens of all workers for all of the time, and the first ones of each start. */
function mostTokens({ starts, workers, ranMs }) {
  return TOKENS * (starts + workers * Math.ceil(ranMs / TOKEN_RENEWAL_MS));
}

/** Returns a sentence for each broken promise. */
export function faultsOf(summary) {
  const { turns, asToldShare, failed, wrong, storage, identity, killed } = summary;
  return [
    turns === 0 && "No turn ended",
    killed === 0 && "No worker was killed",
    asToldShare < ANSWERED && `Only ${asToldShare} of the turns were answered as they were told`,
    failed > 0 && `${failed} turns were never answered`,
    ...wrong.map((sentence) => `History: ${sentence}`),
    storage.requests > storage.most && `${storage.requests} requests to the storage, at most ${storage.most}`,
    identity.requests > identity.most && `${identity.requests} requests for tokens, at most ${identity.most}`,
  ].filter(Boolean);
}

export function goodOf({ turns, killed, asToldShare }) {
  const share = (asToldShare * 100).toFixed(1);
  return `${turns} turns, ${killed} workers killed: ${share} % answered as told, no history lost or doubled`;
}

function counted(texts) {
  const counts = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
