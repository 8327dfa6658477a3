import type { TokenProvider } from "../tokens/types.js";
import type { ChatTokenStatus } from "./contract.js";

/**
 * Returns the status of a token provider, and whether it is healthy: it is not if it has no usable
 * token and the last attempt failed.
 */
export function tokenStatus({ status: fullStatus }: TokenProvider): {
  status: ChatTokenStatus;
  healthy: boolean;
} {
  const { lastError, ...status } = fullStatus;
  const usable = status.state === "fresh" || status.state === "due";
  return {
    status: { ...status, ...(lastError === undefined ? {} : { lastError: lastError.code }) },
    healthy: usable || status.consecutiveFailures === 0,
  };
}
