import type { TokenProvider } from "../tokens/types.js";
import type { ChatTokenStatus } from "./contract.js";

/** How the tokens stand, and whether one can be expected: not when the last attempt has failed and none is held. */
export function tokenStatus({ status: whole }: TokenProvider): { status: ChatTokenStatus; healthy: boolean } {
  const { lastError, ...status } = whole;
  const held = status.state === "fresh" || status.state === "due";
  return {
    status: { ...status, ...(lastError === undefined ? {} : { lastError: lastError.code }) },
    healthy: held || status.consecutiveFailures === 0,
  };
}
