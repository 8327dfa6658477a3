import { KeylessError } from "../errors/keyless-error.js";

/** What an agent, and each of its conversations, says after its end. */
export function closed(): KeylessError {
  return new KeylessError("agent/closed", "The agent, or its conversation, is closed", {
    hint: "Create a new one.",
  });
}
