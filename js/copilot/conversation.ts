import type { SessionConfig } from "@github/copilot-sdk";
import { type Check, type Checks, object, text } from "../errors/check.js";
import type { FoundryProvider } from "../foundry/provider.js";
import type { TurnReply } from "./reply.js";
import { SYSTEM_MESSAGE, type SystemMessage, TOOLS } from "./session-config.js";
import type { ChatOptions } from "./turn-options.js";

/** Options of {@link FoundryAgent.conversation}. Unset ones are the agent's. */
export interface ConversationOptions {
  /**
   * The id of the new conversation: letters, digits, `_` and `-`, at most 128. Default: a random
   * one. An id that has a history is refused; `resume` continues that.
   */
  id?: string | undefined;
  /** The id of an earlier conversation to continue. Not with `id`. */
  resume?: string | undefined;
  /** The well-known name of another model of the agent's resource. */
  model?: string | undefined;
  /** The name of its deployment. Default: `model`. */
  deployment?: string | undefined;
  /** The provider of another resource. Not with `model` and `deployment`. */
  provider?: FoundryProvider | undefined;
  /** The system message in place of the agent's, in the same forms. */
  systemMessage?: string | SystemMessage | undefined;
  /**
   * The program's tools, in place of the agent's `session.tools`. If the agent has
   * `session.availableTools`, that must allow them.
   */
  tools?: SessionConfig["tools"] | undefined;
  /** How much the model reasons, such as `low`. Passed on: what is allowed depends on the model. */
  reasoningEffort?: SessionConfig["reasoningEffort"] | undefined;
  /**
   * Values of the program's own, which {@link Conversation.metadata} returns. They stay in this
   * process: neither the model nor the history gets them.
   */
  metadata?: Readonly<Record<string, unknown>> | undefined;
}

const ID: Check = {
  expected: "1 to 128 letters, digits, _ and -",
  fits: (value) => typeof value === "string" && /^[\w-]{1,128}$/.test(value),
};

const PROVIDER: Check = {
  expected: "a provider of createFoundryProvider",
  fits: (value) => typeof (value as FoundryProvider).config.baseUrl === "string",
};

/** The types of {@link ConversationOptions}. */
export const CONVERSATION_CHECKS: Checks<ConversationOptions> = {
  id: ID,
  resume: text,
  model: text,
  deployment: text,
  provider: PROVIDER,
  systemMessage: SYSTEM_MESSAGE,
  tools: TOOLS,
  reasoningEffort: text,
  metadata: object,
};

/** Options of {@link Conversation.close}. */
export interface CloseOptions {
  /** Whether to delete the history from disk. Default: the agent's `deleteHistory`. */
  deleteHistory?: boolean | undefined;
  /** @deprecated Use `deleteHistory`. */
  forget?: boolean | undefined;
}

/** The text of a reply as it arrives. */
export interface ReplyStream extends AsyncIterableIterator<string> {
  /**
   * The whole reply, with model and usage, when the turn has ended. Rejects with the error of the
   * turn; a program that reads the stream gets it there and need not handle it here.
   */
  readonly reply: Promise<TurnReply>;
}

/**
 * A conversation with the model: one session of the Copilot runtime, whose turns run one after
 * another. It starts with the first turn. When its runtime is replaced or dies, the session moves
 * to another one and keeps its history. {@link FoundryAgent.conversation} creates one.
 */
export interface Conversation extends AsyncDisposable {
  /**
   * The id of the conversation, known at once. It changes only if the history was lost, which a
   * turn reports with `sdk/session-not-found`, and the conversation starts anew.
   */
  readonly id: string;

  /** The values that the program gave to this conversation. */
  readonly metadata: Readonly<Record<string, unknown>>;

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

  /** Like {@link Conversation.chat}, and resolves with the model and the tokens that it used, too. */
  turn(prompt: string, options?: ChatOptions): Promise<TurnReply>;

  /**
   * Sends a prompt and yields the text of every message of the turn as it arrives. Leaving the loop
   * aborts the turn.
   */
  stream(prompt: string, options?: ChatOptions): ReplyStream;

  /**
   * Aborts a running turn and ends the session, within a second. The history stays on disk and can
   * be resumed by its id, unless it is deleted.
   *
   * @throws KeylessError `agent/closed` when the history shall be deleted and the conversation was
   * closed without
   */
  close(options?: CloseOptions): Promise<void>;
}
