// Judges errors and cells.

/** Advice to look for a key, which is worse than no advice for users without one. */
const WRONG_STEP = /API[_ -]?KEY/i;
const STEP =
  /\b(check|run|set|assign|try again|send it again|asked again|retry|restart|start|reinstall|see|visit|troubleshoot\w*|raise|ask|look|use|allow|add|get|make|wait|share)\b/i;

/**
 * Judges an error as good when it has a code, its message names the cause, and it says what to do.
 * The message must match all patterns in `cause`. A call without an error (no answer, an empty
 * reply, a process that has ended) reported nothing.
 */
export function judgeError({ silent, code, message = "", hint = "" }, cause) {
  if (silent) return { code: false, cause: false, step: false };
  const advice = `${hint}\n${message}`;
  return {
    code: typeof code === "string" && code !== "",
    cause: cause.every((pattern) => pattern.test(message)),
    step: STEP.test(hint === "" ? message : hint) && !WRONG_STEP.test(advice),
  };
}

/** Summarises the calls of a cell. */
export function summaryOf({ calls, ended, identityRequests, findings }) {
  const failures = calls.filter(({ error }) => error !== undefined);
  const told = failures.map(({ error, cause }) => ({ ...error, judged: judgeError(error, cause) }));
  return {
    served: calls.length - failures.length,
    failed: failures.length,
    // Calls that had a valid token and a working resource.
    lost: failures.filter(({ mustServe }) => mustServe).length,
    longestWaitMs: Math.round(Math.max(0, ...calls.map(({ ms }) => ms))),
    identityRequests,
    alive: ended === undefined,
    ...(ended === undefined ? {} : { ended }),
    errors: told,
    toldWell: told.filter(({ judged }) => isWell(judged)).length,
    findings,
  };
}

/** Lists, in sentences, the findings that this package must not have. */
export function problemsOf({ lost, alive, ended, errors, findings }) {
  const problems = [...findings];
  if (lost > 0) problems.push(`${lost} lost although a valid token could be had`);
  if (!alive) problems.push(`the process ended (${ended})`);
  for (const { judged, message } of errors) {
    const missing = Object.keys(judged).filter((part) => !judged[part]);
    if (missing.length > 0) problems.push(`an error without ${missing.join(", ")}: ${message}`);
  }
  return problems;
}

function isWell(judged) {
  return Object.values(judged).every(Boolean);
}
