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

/** The credential behind the policy of azure_core cannot repeat a request after a 401: callers of that moment see it. */
const mayLose = ({ fault, client, tokens }) =>
  client === "azure_storage_blob" && tokens === "copilot-keyless" && ["audience", "revoked"].includes(fault)
    ? 3
    : 0;

/** Lists what this package must not do. */
export function problemsOf(rows) {
  return rows
    .filter((row) => row.tokens.startsWith("copilot-keyless") && row.lost > mayLose(row))
    .map(
      ({ fault, client, tokens, lost, errors }) =>
        `${fault}, ${client}, ${tokens}: ${lost} lost: ${errors[0]}`,
    );
}
