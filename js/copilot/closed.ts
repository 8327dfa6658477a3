import { KeylessError } from "../errors/keyless-error.js";

/** The error of a conversation that ended by itself, because it was idle, and kept no history. */
export function expired(): KeylessError {
  return new KeylessError(
    "agent/closed",
    "The conversation was idle, so it has ended, and its history was deleted",
    {
      hint: "Create a new one. To continue idle conversations, set deleteHistory to false, or raise idleMs and maxConversations.",
    },
  );
}

/** The error of an agent, and of its conversations, once it is closed. */
export function closed(): KeylessError {
  return new KeylessError("agent/closed", "The agent, or its conversation, is closed", {
    hint: "Create a new one.",
  });
}
