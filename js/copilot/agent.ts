import type { SessionConfig } from "@github/copilot-sdk";
import { readOptions } from "../errors/check.js";
import type { FoundryProviderOptions } from "../foundry/options.js";
import { createFoundryProvider, type FoundryProvider } from "../foundry/provider.js";
import { wellFormed } from "../platform/well-formed.js";
import { withDeadline } from "../platform/with-deadline.js";
import { AgentConversation, type ConversationSettings } from "./agent-conversation.js";
import { checkUnused } from "./attached-session.js";
import { closed } from "./closed.js";
import {
  CONVERSATION_CHECKS,
  type Conversation,
  type ConversationOptions,
  type ReplyStream,
} from "./conversation.js";
import { IdleConversations } from "./idle-conversations.js";
import { type AgentOptions, check, readAgentOptions } from "./options.js";
import type { TurnReply } from "./reply.js";
import { Runtime } from "./runtime.js";
import { type SessionParts, sessionConfig } from "./session-config.js";
import type { ChatOptions } from "./turn-options.js";
import { warmSession } from "./warm-session.js";

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
  readonly #providerOptions: FoundryProviderOptions;
  readonly #parts: SessionParts;
  readonly #session: Partial<SessionConfig>;
  readonly #timeoutMs: number;
  readonly #firstByteTimeoutMs: number | undefined;
  readonly #stateless: boolean;
  readonly #deleteHistory: boolean | undefined;
  /** The conversations to close with the agent. */
  readonly #conversations = new Set<Conversation>();
  readonly #idleConversations: IdleConversations;
  /** The conversation that `chat` and `stream` continue. */
  readonly #own: Conversation;
  #closing: Promise<void> | undefined;
  /** What goes on after {@link FoundryAgent.warmUp}. */
  #warming: Promise<void> | undefined;

  constructor(options: AgentOptions = {}) {
    const {
      client,
      preset,
      session,
      systemMessage,
      timeoutMs,
      firstByteTimeoutMs,
      stateless,
      deleteHistory,
      resume,
      sessionsPerRuntime,
      turnsPerRuntime,
      idleMs,
      maxConversations,
      ...provider
    } = readAgentOptions(options);
    this.provider = createFoundryProvider(provider);
    this.#runtime = new Runtime(client, { sessions: sessionsPerRuntime, turns: turnsPerRuntime });
    this.#providerOptions = provider;
    this.#parts = { preset, systemMessage, session };
    this.#session = sessionConfig(this.#parts);
    this.#timeoutMs = timeoutMs;
    this.#firstByteTimeoutMs = firstByteTimeoutMs;
    this.#stateless = stateless;
    this.#deleteHistory = deleteHistory;
    this.#idleConversations = new IdleConversations({ idleMs, maxConversations });
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

  /** Like {@link FoundryAgent.chat}, and resolves with the model and the tokens that it used, too. */
  async turn(prompt: string, options: ChatOptions = {}): Promise<TurnReply> {
    return this.#next().turn(prompt, options);
  }

  /**
   * Sends a prompt and yields the text of every message of the turn as it arrives. Leaving the loop
   * aborts the turn.
   */
  stream(prompt: string, options: ChatOptions = {}): ReplyStream {
    return this.#next().stream(prompt, options);
  }

  /**
   * Starts the runtime and acquires the first token, so that the first turn waits for neither. A
   * runtime that the agent starts goes on to load its tokenizer, which its first turn needs.
   *
   * @throws KeylessError `agent/closed`, `sdk/...`, `credential/...`, `token/...`
   */
  async warmUp(): Promise<void> {
    if (this.#closing) throw closed();
    const { scope, tokens } = this.provider;
    const started = this.#runtime.lease().then((lease) => {
      // Not on a runtime that somebody else has started: others see its sessions.
      const isOwn = !this.#runtime.userClient && this.#runtime.home !== undefined;
      const config = this.provider.sessionConfig({ availableTools: [] });
      const warmed = isOwn ? warmSession(lease.client, this.#runtime, config) : Promise.resolve();
      this.#warming = warmed.then(() => lease.release());
    });
    await Promise.all([started, scope === undefined ? undefined : tokens()]);
  }

  /**
   * Creates a conversation beside the agent's own: another session on the same runtime, with the
   * same tokens, and with a model, a system message and tools of its own if they are given. Close it
   * when it is over; closing the agent closes it too.
   *
   * @throws KeylessError `agent/closed`; `agent/invalid-option`, also for an option that does not
   * exist; `provider/...` for a model that cannot be
   * @example
   * ```ts
   * await using conversation = agent.conversation({ systemMessage: "Answer in one word." });
   * const { id } = conversation; // later: agent.conversation({ resume: id })
   * const { text, usage } = await conversation.turn("What is the capital of France?");
   * ```
   */
  conversation(options: ConversationOptions = {}): Conversation {
    if (this.#closing) throw closed();
    const read = readOptions(options, CONVERSATION_CHECKS, "agent/invalid-option");
    const { id, resume, provider, model, deployment } = read;
    check(resume !== "", "resume must be a session's id");
    check(id === undefined || resume === undefined, "id and resume exclude each other");
    check(
      provider === undefined || (model ?? deployment) === undefined,
      "provider excludes model and deployment: it has its own",
    );
    if (id !== undefined) checkUnused(this.#runtime, id);
    return this.#begin(false, {
      id,
      resume: resume && wellFormed(resume),
      provider: provider ?? this.#providerOf(model, deployment),
      session: this.#sessionOf(read),
      metadata: Object.freeze({ ...read.metadata }),
    });
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
    return this.#stateless && !this.#closing ? this.#begin(true) : this.#own;
  }

  #begin(once: boolean, chosen: Partial<ConversationSettings> = {}): Conversation {
    const conversation: Conversation = new AgentConversation({
      provider: this.provider,
      runtime: this.#runtime,
      session: this.#session,
      timeoutMs: this.#timeoutMs,
      firstByteTimeoutMs: this.#firstByteTimeoutMs,
      id: undefined,
      resume: undefined,
      once,
      deleteHistory: this.#deleteHistory ?? once,
      metadata: {},
      idleConversations: this.#idleConversations,
      onUsed: () => this.#conversations.add(conversation),
      onEnded: () => this.#conversations.delete(conversation),
      ...chosen,
    });
    this.#conversations.add(conversation);
    return conversation;
  }

  /** The provider of a model of the same resource, with the same tokens. */
  #providerOf(model = this.provider.model, deployment?: string): FoundryProvider {
    if (model === this.provider.model && deployment === undefined) return this.provider;
    const { tokens, config } = this.provider;
    return createFoundryProvider({
      ...this.#providerOptions,
      model,
      deployment: deployment ?? model,
      // A resource that needs no token gets none.
      ...(config.bearerTokenProvider ? { tokens } : {}),
    });
  }

  /** The session's config, with what the conversation has of its own. */
  #sessionOf({ systemMessage, tools, reasoningEffort }: ConversationOptions): Partial<SessionConfig> {
    if (systemMessage === undefined && tools === undefined && reasoningEffort === undefined) {
      return this.#session;
    }
    const { systemMessage: agents, ...rest } = this.#parts.session ?? {};
    const session = {
      ...rest,
      ...(systemMessage === undefined && agents ? { systemMessage: agents } : {}),
      ...(tools === undefined ? {} : { tools }),
      ...(reasoningEffort === undefined ? {} : { reasoningEffort }),
    };
    return sessionConfig({
      ...this.#parts,
      systemMessage: systemMessage ?? this.#parts.systemMessage,
      session,
    });
  }

  async #close(): Promise<void> {
    const closing = Promise.all([...this.#conversations].map((conversation) => conversation.close()));
    try {
      // A runtime that hangs is ended, and its conversations end with it.
      await withDeadline<unknown>(closing, CLOSE_MS, () => {});
      await this.#runtime.close();
      await withDeadline<unknown>(Promise.all([closing, this.#warming]), CLOSE_MS, () => {});
    } finally {
      this.provider.close();
    }
  }
}

/** {@link FoundryAgent}, under the name that guides to managed identities use. The same class. */
export const ManagedIdentityCopilotAgent = FoundryAgent;
export type ManagedIdentityCopilotAgent = FoundryAgent;
