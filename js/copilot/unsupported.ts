import { KeylessError } from "../errors/keyless-error.js";

/** What to say where no program can be started: in browsers and on the edge. */
export function noRuntime(): KeylessError {
  return new KeylessError(
    "sdk/unsupported-platform",
    "The Copilot runtime is a program of its own, and this platform starts none",
    {
      hint: "Ask the model itself: streamChat of copilot-keyless/direct, or createEdgeChatHandler of copilot-keyless/edge.",
    },
  );
}
