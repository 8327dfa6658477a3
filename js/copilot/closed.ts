import { KeylessError } from "../errors/keyless-error.js";

/** The error of an agent, and of its conversations, once it is closed. */
export function closed(): KeylessError {
  return new KeylessError("agent/closed", "The agent, or its conversation, is closed", {
    hint: "Create a new one.",
  });
}
