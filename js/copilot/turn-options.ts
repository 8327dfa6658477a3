import type { MessageOptions, SessionEvent } from "@github/copilot-sdk";
import {
  abortSignal,
  type Check,
  type Checks,
  callback,
  list,
  number,
  object,
  text,
} from "../errors/check.js";

/** Options of one turn. */
export interface ChatOptions {
  signal?: AbortSignal | undefined;
  /**
   * Data, files, folders or selections that the prompt is about, as the SDK takes them. The model
   * gets the content of a `blob` (an image or text). Of a file or a folder it gets the path, to read
   * with a tool.
   */
  attachments?: MessageOptions["attachments"] | undefined;
  /** How long this turn may take, in milliseconds. Default: the agent's `timeoutMs`. */
  timeoutMs?: number | undefined;
  /**
   * Receives every SDK event that follows the prompt's own message: `assistant.reasoning_delta`,
   * `tool.execution_start`, `tool.execution_complete`, `assistant.usage` and so on, also those of
   * sub-agents. When the runtime dies and the prompt is sent again, the events start over. Errors
   * that the callback throws are ignored.
   */
  onEvent?: ((event: SessionEvent) => void) | undefined;
  /** Who the prompt is from, as the SDK takes it: `user`, `system` or `agent-<id>`. */
  source?: MessageOptions["source"] | undefined;
  /**
   * How the SDK delivers the prompt. A conversation sends a prompt when the turn before has ended,
   * so `immediate` does not interrupt one.
   */
  mode?: MessageOptions["mode"] | undefined;
  /** The mode of the runtime's agent, such as `plan`. Default: the session's. */
  agentMode?: MessageOptions["agentMode"] | undefined;
  /** A text that the history shows in place of the prompt. */
  displayPrompt?: string | undefined;
  /** Headers for the model requests of this turn, besides the provider's. Not for credentials. */
  requestHeaders?: Record<string, string> | undefined;
}

const SOURCE: Check = {
  expected: '"user", "system" or "agent-<id>"',
  fits: (value) => typeof value === "string" && /^(user|system|agent-.+)$/.test(value),
};

const oneOf = (...values: string[]): Check => ({
  expected: `one of ${values.map((value) => `"${value}"`).join(", ")}`,
  fits: (value) => values.includes(value as string),
});

/** The types of {@link ChatOptions}. */
export const CHAT_CHECKS: Checks<ChatOptions> = {
  signal: abortSignal,
  attachments: list,
  timeoutMs: number,
  onEvent: callback,
  source: SOURCE,
  mode: oneOf("enqueue", "immediate"),
  agentMode: oneOf("interactive", "plan", "autopilot", "shell"),
  displayPrompt: text,
  requestHeaders: object,
};
