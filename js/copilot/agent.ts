import type { SessionConfig } from "@github/copilot-sdk";
import { type Check, readOptions, text } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { createFoundryProvider, type FoundryProvider } from "../foundry/provider.js";
import { wellFormed, wellFormedDeep } from "../platform/well-formed.js";
import { withDeadline } from "../platform/with-deadline.js";
import { AgentConversation } from "./agent-conversation.js";
import { closed } from "./closed.js";
import type { ChatOptions, Conversation } from "./conversation.js";
import { type AgentOptions, check, readAgentOptions } from "./options.js";
import { Runtime } from "./runtime.js";

/**
 * How long `close` waits for conversations, in milliseconds, before and after it ends their
 * runtimes.
 */
const CLOSE_MS = 200;

/**
 * Runs Copilot conversations with a Foundry model and no API key. The client and the session start
 * with the first turn.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `credential/configuration`,
 * `policy/invalid`, `agent/invalid-option` from the constructor; from a turn also `credential/...`,
 * `token/...`, `sdk/...`, `model/...` and `agent/...`
 * @example
 * ```ts
 * await using agent = new FoundryAgent({ endpoint: "https://myres.openai.azure.com" });
 * console.log(await agent.chat("Why is the sky blue?"));
 * for await (const text of agent.stream("And at dusk?")) process.stdout.write(text);
 * ```
 */
export class FoundryAgent implements AsyncDisposable {
  /** The provider of the agent: its config, model, endpoint, warnings and token status. */
  readonly provider: FoundryProvider;
  readonly #runtime: Runtime;
  readonly #session: Partial<SessionConfig>;
  readonly #timeoutMs: number;
  readonly #stateless: boolean;
  readonly #deleteHistory: boolean | undefined;
  readonly #conversations = new Set<Conversation>();
  /** The conversation that `chat` and `stream` continue. */
  readonly #own: Conversation;
  #closing: Promise<void> | undefined;

  constructor(options: AgentOptions = {}) {
    const {
      client,
      session,
      systemMessage,
      timeoutMs,
      stateless,
      deleteHistory,
      resume,
      sessionsPerRuntime,
      turnsPerRuntime,
      ...provider
    } = readAgentOptions(options);
    this.provider = createFoundryProvider(provider);
    this.#runtime = new Runtime(client, { sessions: sessionsPerRuntime, turns: turnsPerRuntime });
    this.#session = sessionConfig(systemMessage, session);
    this.#timeoutMs = timeoutMs;
    this.#stateless = stateless;
    this.#deleteHistory = deleteHistory;
    this.#own = this.conversation({ resume });
  }

  /**
   * The id of the session that `chat` and `stream` continue, once the first turn has started. None
   * with `stateless`.
   */
  get sessionId(): Promise<string> | undefined {
    return this.#own.sessionId;
  }

  /** Sends a prompt and resolves with the whole reply: the last message of the turn. */
  async chat(prompt: string, options: ChatOptions = {}): Promise<string> {
    return this.#next().chat(prompt, options);
  }

  /**
   * Sends a prompt and yields the text of every message of the turn as it arrives. Leaving the loop
   * aborts the turn.
   */
  stream(prompt: string, options: ChatOptions = {}): AsyncIterableIterator<string> {
    return this.#next().stream(prompt, options);
  }

  /**
   * Creates a conversation beside the agent's own: another session on the same runtime, with the
   * same tokens. `resume` continues an earlier session by its id; `provider` selects another model.
   * Close it when it is over; closing the agent closes it too.
   *
   * @throws KeylessError `agent/closed`, `agent/invalid-option`
   * @example
   * ```ts
   * await using conversation = agent.conversation();
   * await conversation.chat("Remember the number 42.");
   * const id = await conversation.sessionId; // later: agent.conversation({ resume: id })
   * ```
   */
  conversation(
    options: { resume?: string | undefined; provider?: FoundryProvider | undefined } = {},
  ): Conversation {
    if (this.#closing) throw closed();
    const read = readOptions(options, { resume: text, provider: PROVIDER }, "agent/invalid-option");
    const { resume, provider = this.provider } = read;
    check(
      resume === undefined || (typeof resume === "string" && resume !== ""),
      "resume must be a session's id",
    );
    return this.#begin(resume && wellFormed(resume), false, provider);
  }

  /**
   * Aborts running turns, ends the sessions, the agent's own client and the token provider, within
   * a second.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The conversation of the next `chat` or `stream`. */
  #next(): Conversation {
    return this.#stateless && !this.#closing ? this.#begin(undefined, true) : this.#own;
  }

  #begin(resume: string | undefined, once: boolean, provider = this.provider): Conversation {
    const conversation: Conversation = new AgentConversation({
      provider,
      runtime: this.#runtime,
      session: this.#session,
      timeoutMs: this.#timeoutMs,
      resume,
      once,
      deleteHistory: this.#deleteHistory ?? once,
      onClosed: () => this.#conversations.delete(conversation),
    });
    this.#conversations.add(conversation);
    return conversation;
  }

  async #close(): Promise<void> {
    const closing = Promise.all([...this.#conversations].map((conversation) => conversation.close()));
    try {
      // A runtime that hangs is ended, and its conversations end with it.
      await withDeadline<unknown>(closing, CLOSE_MS, () => {});
      await this.#runtime.close();
      await withDeadline<unknown>(closing, CLOSE_MS, () => {});
    } finally {
      this.provider.close();
    }
  }
}

/** {@link FoundryAgent}, under the name that guides to managed identities use. The same class. */
export const ManagedIdentityCopilotAgent = FoundryAgent;
export type ManagedIdentityCopilotAgent = FoundryAgent;

const PROVIDER: Check = {
  expected: "a provider of createFoundryProvider",
  fits: (value) => typeof (value as FoundryProvider).config.baseUrl === "string",
};

/** The config of every session, with text that the runtime can read. */
function sessionConfig(
  systemMessage: string | undefined,
  session: AgentOptions["session"],
): Partial<SessionConfig> {
  try {
    return wellFormedDeep({
      ...(systemMessage === undefined ? {} : { systemMessage: { mode: "append", content: systemMessage } }),
      ...session,
    });
  } catch {
    throw new KeylessError("agent/invalid-option", "session cannot be read: a getter of it throws", {
      hint: "Pass an object of plain values and functions.",
    });
  }
}
