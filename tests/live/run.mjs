// Runs the checks one after another.

import { CHECKS } from "./catalogue.mjs";
import { Context } from "./context.mjs";
import { differs, NotTried, untried } from "./verdict.mjs";

/** All checks together take at most this long; the rest is not tried. */
const LONGEST_MS = 5 * 60_000;

/**
 * Runs the checks on the setup of the environment; `credential` replaces its choice. Resolves with a
 * result for each, also when `signal` aborts; the rest is then not tried. The results hold nothing
 * that a report must not hold.
 *
 * @throws what {@link target} throws
 */
export async function live({
  credential,
  env = process.env,
  emulated = false,
  signal,
  onCheck = () => {},
  checks = CHECKS,
}) {
  const tooLong = AbortSignal.timeout(LONGEST_MS);
  const context = new Context({ env, emulated, credential, signal: AbortSignal.any([signal, tooLong]) });
  const results = [];
  try {
    for (const check of checks) {
      const began = performance.now();
      const outcome = await outcomeOf(check, context, signal);
      const { name, claim, files, expected } = check;
      const ms = Math.round(performance.now() - began);
      const result = context.redactor.seal({ name, claim, files, expected, ...outcome, ms });
      results.push(result);
      onCheck(result);
    }
  } finally {
    context.provider.close();
  }
  return { ...context.redactor.seal(setupOf(context)), requests: context.requests, results };
}

async function outcomeOf(check, context, interrupted) {
  const stopped = () => untried(interrupted.aborted ? "interrupted" : "the time for all checks was up");
  if (context.signal.aborted) return stopped();
  if (check.requests && context.unreachable) return untried("the resource did not answer before");
  try {
    return await check.run(context);
  } catch (error) {
    if (context.signal.aborted) return stopped();
    if (error instanceof NotTried) return untried(error.message);
    return differs(`the check failed: ${context.clean(`${error.code ?? error.name}: ${error.message}`)}`);
  }
}

function setupOf({ provider, endpoint, emulated, scope, wireApi, redactor }) {
  const { kind, host, source } = provider.credential;
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    against: emulated ? "the embedded emulator" : "live Azure",
    endpoint: `${endpoint.kind}, ${endpoint.cloud} cloud`,
    scope: redactor.clean(scope ?? "unknown"),
    credential: `${kind}, from ${source}${host ? `, on ${host}` : ""}`,
    api: wireApi ?? "none answered",
  };
}
