import type { SessionConfig } from "@github/copilot-sdk";
import { type Check, readOptions, text } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { createFoundryProvider, type FoundryProvider } from "../foundry/provider.js";
import { wellFormed, wellFormedDeep } from "../platform/well-formed.js";
import { withDeadline } from "../platform/with-deadline.js";
import { closed } from "./closed.js";
import { type ChatOptions, Conversation, checkTimeout } from "./conversation.js";
import { type AgentOptions, agentChecks } from "./options.js";
import { Runtime } from "./runtime.js";

/** How long `close` waits for conversations, in milliseconds, before it ends their runtimes. */
const CLOSE_MS = 200;

const TIMEOUT_MS = 120_000;
const SESSIONS_PER_RUNTIME = 200;
const TURNS_PER_RUNTIME = 300;

/**
 * Copilot conversations with a Foundry model and no API key. The client and the session start with the first turn.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `credential/configuration`, `policy/invalid`, `agent/invalid-option` from the
 * constructor; from a turn also `credential/...`, `token/...`, `sdk/...`, `model/...` and `agent/...`
 * @example
 * ```ts
 * await using agent = new ManagedIdentityCopilotAgent({ endpoint: "https://myres.openai.azure.com" });
 * console.log(await agent.chat("Why is the sky blue?"));
 * for await (const text of agent.stream("And at dusk?")) process.stdout.write(text);
 * ```
 */
export class ManagedIdentityCopilotAgent implements AsyncDisposable {
  /** The provider behind it: its config, model, endpoint, warnings, and token status. */
  readonly provider: FoundryProvider;
  readonly #runtime: Runtime;
  readonly #session: Partial<SessionConfig>;
  readonly #timeoutMs: number;
  readonly #perCall: boolean;
  readonly #keepHistory: boolean;
  readonly #open = new Set<Conversation>();
  /** The one that `chat` and `stream` hold. */
  readonly #own: Conversation;
  #closing: Promise<void> | undefined;

  constructor(options: AgentOptions = {}) {
    const read = readOptions(options, agentChecks(), "agent/invalid-option");
    const {
      client,
      session,
      systemMessage,
      timeoutMs = TIMEOUT_MS,
      sessions = "reuse",
      keepHistory = false,
      resume,
      sessionsPerRuntime = SESSIONS_PER_RUNTIME,
      turnsPerRuntime = TURNS_PER_RUNTIME,
      ...provider
    } = read;
    checkTimeout(timeoutMs);
    check(sessions === "reuse" || sessions === "per-call", 'sessions must be "reuse" or "per-call"');
    check(sessions === "reuse" || resume === undefined, 'resume does not go with sessions: "per-call"');
    check(typeof keepHistory === "boolean", "keepHistory must be true or false");
    for (const [name, count] of Object.entries({ sessionsPerRuntime, turnsPerRuntime })) {
      check(Number.isSafeInteger(count) && count > 0, `${name} must be a positive whole number`);
    }
    this.provider = createFoundryProvider(provider);
    this.#runtime = new Runtime(client, { sessions: sessionsPerRuntime, turns: turnsPerRuntime });
    this.#session = configOf(systemMessage, session);
    this.#timeoutMs = timeoutMs;
    this.#perCall = sessions === "per-call";
    this.#keepHistory = keepHistory;
    this.#own = this.conversation({ resume });
  }

  /** The id of the session that `chat` and `stream` hold, once the first turn has begun. With `per-call` there is none. */
  get sessionId(): Promise<string> | undefined {
    return this.#own.sessionId;
  }

  /** Sends a prompt and gives the whole reply: the last message of the turn. */
  async chat(prompt: string, options: ChatOptions = {}): Promise<string> {
    return this.#next().chat(prompt, options);
  }

  /**
   * Sends a prompt and gives the reply's text as it comes, of every message of the turn. Leaving the loop early aborts the turn.
   */
  stream(prompt: string, options: ChatOptions = {}): AsyncIterableIterator<string> {
    return this.#next().stream(prompt, options);
  }

  /**
   * A conversation of its own, beside the agent's: a session on the same runtime and the same tokens. With the id of an earlier
   * session that one is taken up again. With a `provider` it speaks with that one's model. Close it when it is over; closing the
   * agent closes it, too.
   *
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

  /** Aborts running turns and ends the sessions, the client if it is the agent's own, and the token provider, within a second. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The conversation of the next `chat` or `stream`. */
  #next(): Conversation {
    return this.#perCall && !this.#closing ? this.#begin(undefined, true) : this.#own;
  }

  #begin(resume: string | undefined, once: boolean, provider = this.provider): Conversation {
    const conversation: Conversation = new Conversation({
      provider,
      runtime: this.#runtime,
      session: this.#session,
      timeoutMs: this.#timeoutMs,
      resume,
      once,
      forget: once && !this.#keepHistory,
      onClosed: () => this.#open.delete(conversation),
    });
    this.#open.add(conversation);
    return conversation;
  }

  async #close(): Promise<void> {
    const conversations = Promise.all([...this.#open].map((conversation) => conversation.close()));
    try {
      // A runtime that hangs does not hold this up: it is ended, and the conversations end with it.
      await withDeadline<unknown>(conversations, CLOSE_MS, () => {});
      await this.#runtime.close();
      await withDeadline<unknown>(conversations, CLOSE_MS, () => {});
    } finally {
      this.provider.close();
    }
  }
}

const PROVIDER: Check = {
  expected: "a provider of createFoundryProvider",
  fits: (value) => typeof (value as FoundryProvider).config.baseUrl === "string",
};

/** The session's config, with text that the runtime can read. */
function configOf(
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

function check(fine: boolean, sentence: string): void {
  if (!fine) {
    throw new KeylessError("agent/invalid-option", sentence, {
      hint: "See the options of ManagedIdentityCopilotAgent.",
    });
  }
}
