import type { MessageOptions } from "@github/copilot-sdk";
import { type Checks, checkArgument, flag, quiet, readOptions, text } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { wellFormed, wellFormedDeep } from "../platform/well-formed.js";
import { withDeadline } from "../platform/with-deadline.js";
import { waitingFailure } from "../tokens/provider.js";
import { callPlan, planModule } from "../wasm/bindings.js";
import type { SessionSettings } from "./attached-session.js";
import { closed, expired } from "./closed.js";
import type { CloseOptions, Conversation, ReplyStream } from "./conversation.js";
import { ConversationDriver } from "./conversation-driver.js";
import type { IdleConversation, IdleConversations } from "./idle-conversations.js";
import { checkTimeout, refuseBoth } from "./options.js";
import type { TurnReply } from "./reply.js";
import { Turn } from "./turn.js";
import { CHAT_CHECKS, type ChatOptions } from "./turn-options.js";

/** Settings that a conversation gets from its agent. */
export interface ConversationSettings extends SessionSettings {
  /** How long a turn may take, in milliseconds, unless the turn sets it. */
  timeoutMs: number;
  /** How long the resource may send nothing of a reply. Default: by the model. */
  firstByteTimeoutMs: number | undefined;
  /** Whether the conversation ends with its first turn. */
  once: boolean;
  /** Whether the history is deleted at the end, unless `close` decides otherwise. */
  deleteHistory: boolean;
  /** Values of the program's own. */
  metadata: Readonly<Record<string, unknown>>;
  /** Ends idle conversations. */
  idleConversations: IdleConversations;
  /** Called for each turn. */
  onUsed: () => void;
  /** Called when the conversation has ended, for good or until its next turn. */
  onEnded: () => void;
}

const CLOSE_CHECKS: Checks<CloseOptions> = {
  deleteHistory: flag,
  forget: { ...flag, deprecated: true },
};

/**
 * How long `close` waits for the runtime, in milliseconds. What is left is done in the background.
 */
const CLOSE_MS = 800;

/** The conversation of an agent. */
export class AgentConversation implements Conversation {
  readonly #settings: ConversationSettings;
  readonly #driver: ConversationDriver;
  #closing: Promise<void> | undefined;
  #deletesHistory = false;
  /** Whether the conversation ended because it was idle, and its history was deleted. */
  #expired = false;
  readonly #idleHandle: IdleConversation = { endIdle: () => this.#endIdle() };

  constructor(settings: ConversationSettings) {
    this.#settings = settings;
    this.#driver = new ConversationDriver(settings);
  }

  get id(): string {
    return this.#driver.id;
  }

  get metadata(): Readonly<Record<string, unknown>> {
    return this.#settings.metadata;
  }

  get sessionId(): Promise<string> | undefined {
    return this.#driver.sessionId;
  }

  async chat(prompt: string, options: ChatOptions = {}): Promise<string> {
    const { text } = await this.turn(prompt, options);
    return text;
  }

  async turn(prompt: string, options: ChatOptions = {}): Promise<TurnReply> {
    const { reply } = this.#begin(prompt, options);
    try {
      return await reply;
    } finally {
      await this.#closeIfOnce();
    }
  }

  stream(prompt: string, options: ChatOptions = {}): ReplyStream {
    const turn = this.#begin(prompt, options);
    const texts = turn.texts();
    let left = false;
    const done = { done: true, value: undefined } as const;
    const iterator: ReplyStream = {
      reply: turn.reply,
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        if (left) return done;
        const next = await texts.next();
        if (!next.done) return next;
        try {
          if (!left) await turn.reply;
        } finally {
          await this.#closeIfOnce();
        }
        return done;
      },
      // A generator would only return once the next piece has arrived.
      return: async () => {
        left = true;
        turn.abort();
        await this.#closeIfOnce();
        return done;
      },
    };
    return iterator;
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const { forget, ...read } = readOptions(options, CLOSE_CHECKS, "agent/invalid-option");
    refuseBoth(read, "deleteHistory", "forget", forget);
    const { deleteHistory = forget } = read;
    if (!this.#closing) {
      this.#deletesHistory = deleteHistory ?? this.#settings.deleteHistory;
      this.#closing = this.#close(this.#deletesHistory);
    } else if (deleteHistory && !this.#deletesHistory) throw closed();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the conversation until its next turn; for good if its history is not kept. */
  #endIdle(): void {
    this.#settings.onEnded();
    this.#expired = this.#settings.deleteHistory;
    if (this.#expired) void this.close();
    else this.#driver.leave();
  }

  #begin(prompt: string, options: ChatOptions): Turn {
    try {
      return this.#enqueue(prompt, options);
    } catch (error) {
      void this.#closeIfOnce();
      throw error;
    }
  }

  #enqueue(prompt: string, options: ChatOptions): Turn {
    checkArgument("prompt", prompt, text, "agent/empty-prompt", "Pass a text to chat() or stream().");
    if (prompt.trim() === "") {
      throw new KeylessError("agent/empty-prompt", "The prompt is empty", {
        hint: "Pass a text to chat() or stream().",
      });
    }
    const read = readOptions(options, CHAT_CHECKS, "agent/invalid-option");
    const { signal, onEvent, timeoutMs = this.#settings.timeoutMs, ...message } = read;
    checkTimeout(timeoutMs);
    if (message.requestHeaders) checkHeaders(message.requestHeaders);
    if (this.#closing) throw this.#expired ? expired() : closed();
    const { provider, session, firstByteTimeoutMs: most } = this.#settings;
    const firstByteTimeoutMs =
      most ?? planModule().firstByteTimeoutMs(provider.model, session.reasoningEffort);
    const turn = new Turn(
      { ...wellFormedDeep(message as MessageOptions), prompt: wellFormed(prompt) },
      { timeoutMs, firstByteTimeoutMs },
      {
        explain: (failure) => this.#driver.explain(failure),
        waitingFailure: () => waitingFailure(provider.tokens),
        onEvent: quiet(onEvent),
      },
    );
    const abort = () => turn.fail(signal?.reason);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    const ended = () => {
      signal?.removeEventListener("abort", abort);
      if (this.#driver.isIdle) this.#idle();
      // The reader of a stream may never reach its end.
      void this.#closeIfOnce();
    };
    turn.reply.then(ended, ended);
    this.#driver.add(turn);
    this.#settings.onUsed();
    if (!this.#settings.once) this.#settings.idleConversations.busy(this.#idleHandle);
    return turn;
  }

  #idle(): void {
    if (!this.#settings.once && !this.#closing) this.#settings.idleConversations.idle(this.#idleHandle);
  }

  /** Closes a conversation of one turn, which has ended or could not start. */
  async #closeIfOnce(): Promise<void> {
    if (this.#settings.once) await this.close();
  }

  async #close(deleteHistory: boolean): Promise<void> {
    this.#settings.idleConversations.closed(this.#idleHandle);
    const ended = this.#driver.close(deleteHistory).then(() => this.#settings.onEnded());
    await withDeadline(ended, CLOSE_MS, () => {});
  }
}

/** @throws KeylessError `provider/header` for headers that a turn may not have */
function checkHeaders(headers: Record<string, string>): void {
  callPlan((planner) => planner.checkHeaders(headers));
}
