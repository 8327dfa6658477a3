// What a check comes to.

/** The claim holds. `seen`: what was seen, without anything that a report must not hold. */
export const confirmed = (seen) => ({ verdict: "confirmed", seen });

/** The claim does not hold. */
export const differs = (seen) => ({ verdict: "differs", seen });

/** The claim could not be tried, and why. */
export const untried = (seen) => ({ verdict: "not tried", seen });

/** Ends a check whose claim turns out not to be triable. */
export class NotTried extends Error {}

export const judged = (holds, seen) => (holds ? confirmed(seen) : differs(seen));

/**
 * Judges a claim about Azure that the emulator does not imitate: there it is not tried unless it
 * holds.
 */
export const judgedLive = ({ emulated }, holds, seen, because) =>
  emulated && !holds ? untried(`${because}; seen: ${seen}`) : judged(holds, seen);

/** Why a response says nothing about a claim, or undefined. */
export function inconclusive({ status, diagnosis }) {
  if (status === 0) return "no answer came";
  if (status === 429) return "the rate limit was reached";
  if (status >= 500 && diagnosis?.code === "server-error") return "the resource failed";
  if (["firewall", "public-access-disabled"].includes(diagnosis?.code)) return "the network is blocked";
  return undefined;
}
