// Summarises a load of the gateway in figures, and lists broken promises.

/** The life of the tokens. */
export const TOKEN_SECONDS = 15;

/** The share of requests outside faults that must be answered. */
const ANSWERED = 0.99;
/** Attempts of one fault of the identity endpoint, and of the wait behind it. */
const ATTEMPTS_OF_A_FAULT = 20;
const MIB = 2 ** 20;

/** Returns the figures, as `--json` prints them. */
export function summaryOf({ seed, minutes, native = false }, run) {
  const { times, memory, lost, changed, toldOutside, ...counts } = run;
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  const quarter = memory.slice(0, Math.ceil(memory.length / 4));
  return {
    seed,
    minutes,
    native,
    ...counts,
    ranMs: Math.round(run.ranMs),
    toldOutside: toldOutside.length,
    lost: lost.length,
    changed: changed.length,
    answeredOutside: 1 - (toldOutside.length + lost.length) / Math.max(1, run.outside),
    tookMs: { p50: at(0.5), p99: at(0.99) },
    memoryMib: { early: Math.round(Math.max(...quarter) / MIB), most: Math.round(Math.max(...memory) / MIB) },
    identityAtMost: identityBound(run),
  };
}

/** Tokens that expire, that are revoked, and attempts within faults. */
function identityBound({ ranMs, revocations, faults }) {
  const expired = Math.ceil((ranMs / 1_000 / TOKEN_SECONDS) * 3);
  return 2 + expired + revocations + (faults ?? 0) * ATTEMPTS_OF_A_FAULT;
}

/** Returns a sentence for every broken promise. */
export function faultsOf(summary, run) {
  const faults = [];
  const { requests, arrived, entries, left, answeredOutside } = summary;
  const { identity, identityAtMost, missedCut, exit, minutes } = summary;
  const examples = (list) => list.slice(0, 5).join("; ");
  if (run.changed.length > 0)
    faults.push(`${run.changed.length} answers had other bytes: ${examples(run.changed)}`);
  if (run.lost.length > 0) faults.push(`${run.lost.length} requests were lost: ${examples(run.lost)}`);
  if (answeredOutside < ANSWERED)
    faults.push(
      `${Math.round(answeredOutside * 1_000) / 10} % answered outside faults: ${examples(run.toldOutside)}`,
    );
  if (missedCut > 0) faults.push(`${missedCut} streams were cut, and their clients saw a whole answer.`);
  if (identity > identityAtMost) faults.push(`${identity} identity requests; ${identityAtMost} at most.`);
  if (entries !== arrived) faults.push(`${arrived} requests arrived, and the log has ${entries} lines.`);
  // A client may leave before its request has arrived.
  if (!(arrived <= requests && arrived >= requests - left))
    faults.push(`${requests} requests were sent, and ${arrived} arrived.`);
  if (run.leaked) faults.push("The log holds a key or a token.");
  if (exit !== 0) faults.push(`The gateway ended with ${exit}.`);
  // A run that meets nothing shows nothing. The issue asks for 100 of each in ten minutes.
  const least = Math.floor(minutes * 10);
  for (const [what, met, enough] of [
    // The native gateway meets fewer: they come at most every 30 s.
    ["revocations", run.repeated, summary.native ? run.revocations : least],
    ["cut streams", run.sawCut, least],
    ["leavers", run.left, least],
  ])
    if (met < enough) faults.push(`Only ${met} ${what} were met; ${enough} at least.`);
  if (run.streams < minutes * 1_000) faults.push(`Only ${run.streams} streams were complete.`);
  const { early, most } = summary.memoryMib;
  if (most > early + 64) faults.push(`The gateway's memory grew from ${early} to ${most} MiB.`);
  return faults;
}

/** Says what a load without faults has shown. */
export const goodOf = ({ answered, streams }) =>
  `${answered} requests answered, ${streams} streams with the resource's own bytes; none lost`;
