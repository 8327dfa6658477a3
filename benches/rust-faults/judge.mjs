// Summarises the calls of a cell, and judges ours.

const always = () => true;

export function summaryOf({ calls, identity }, { mustServe = always }) {
  const served = calls.filter(({ error }) => error === null);
  const lost = calls.filter(({ error, at }) => error !== null && mustServe(at));
  return {
    calls: calls.length,
    served: served.length,
    lost: lost.length,
    slowestMs: Math.max(0, ...served.map(({ ms }) => ms)),
    identity,
    errors: [...new Set(calls.map(({ error }) => error).filter(Boolean))],
  };
}

/** Lists what this package must not do. */
export function problemsOf(rows) {
  return rows
    .filter(({ tokens, lost }) => tokens.startsWith("copilot-keyless") && lost > 0)
    .map(({ fault, client, tokens, lost, errors }) => `${fault}, ${client}, ${tokens}: ${lost} lost: ${errors[0]}`);
}
