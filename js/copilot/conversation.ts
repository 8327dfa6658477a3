import type { SessionEvent } from "@github/copilot-sdk";

/** Options of one turn. */
export interface ChatOptions {
  signal?: AbortSignal | undefined;
  /** How long this turn may take, in milliseconds. Default: the agent's `timeoutMs`. */
  timeoutMs?: number | undefined;
  /**
   * Receives every SDK event that follows the prompt's own message: `assistant.reasoning_delta`,
   * `tool.execution_start`, `tool.execution_complete`, `assistant.usage` and so on, also those of
   * sub-agents. When the runtime dies and the prompt is sent again, the events start over. Errors
   * that the callback throws are ignored.
   */
  onEvent?: ((event: SessionEvent) => void) | undefined;
}

/** Options of {@link Conversation.close}. */
export interface CloseOptions {
  /** Whether to delete the history from disk. Default: the agent's `deleteHistory`. */
  deleteHistory?: boolean | undefined;
  /** @deprecated Use `deleteHistory`. */
  forget?: boolean | undefined;
}

/**
 * A conversation with the model: one session of the Copilot runtime, whose turns run one after
 * another. It starts with the first turn. When its runtime is replaced or dies, the session moves
 * to another one and keeps its history. {@link FoundryAgent.conversation} creates one.
 */
export interface Conversation extends AsyncDisposable {
  /**
   * The session's id, once the first turn has started. Pass it as `resume` to continue the
   * conversation later.
   */
  readonly sessionId: Promise<string> | undefined;

  /**
   * Sends a prompt and resolves with the whole reply: the last message of the turn. A tool that
   * waits for another turn of its own conversation waits until the turn's time is up.
   *
   * @throws KeylessError `agent/...`, `credential/...`, `token/...`, `sdk/...`, `model/...`
   */
  chat(prompt: string, options?: ChatOptions): Promise<string>;

  /**
   * Sends a prompt and yields the text of every message of the turn as it arrives. Leaving the loop
   * aborts the turn.
   */
  stream(prompt: string, options?: ChatOptions): AsyncIterableIterator<string>;

  /**
   * Aborts a running turn and ends the session, within a second. The history stays on disk and can
   * be resumed by its id, unless it is deleted.
   *
   * @throws KeylessError `agent/closed` when the history shall be deleted and the conversation was
   * closed without
   */
  close(options?: CloseOptions): Promise<void>;
}
