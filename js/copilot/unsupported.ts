import { KeylessError } from "../errors/keyless-error.js";

/** The error on platforms that cannot start a program: browsers and edge runtimes. */
export function noRuntime(): KeylessError {
  return new KeylessError(
    "sdk/unsupported-platform",
    "The Copilot runtime is a separate program, and this platform cannot start programs",
    {
      hint: "Call the model directly: streamChat of copilot-keyless/direct, or createEdgeChatHandler of copilot-keyless/edge.",
    },
  );
}
