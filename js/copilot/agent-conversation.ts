import {
  abortSignal,
  type Checks,
  callback,
  checkArgument,
  flag,
  list,
  number,
  quiet,
  readOptions,
  text,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { wellFormed, wellFormedDeep } from "../platform/well-formed.js";
import { withDeadline } from "../platform/with-deadline.js";
import { waitingFailure } from "../tokens/provider.js";
import { planModule } from "../wasm/bindings.js";
import type { SessionSettings } from "./attached-session.js";
import { closed } from "./closed.js";
import type { ChatOptions, CloseOptions, Conversation, ReplyStream } from "./conversation.js";
import { ConversationDriver } from "./conversation-driver.js";
import { checkTimeout, refuseBoth } from "./options.js";
import type { TurnReply } from "./reply.js";
import { Turn } from "./turn.js";

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
  onClosed: () => void;
}

const CHAT_CHECKS: Checks<ChatOptions> = {
  signal: abortSignal,
  attachments: list,
  timeoutMs: number,
  onEvent: callback,
};
const CLOSE_CHECKS: Checks<CloseOptions> = { deleteHistory: flag, forget: flag };

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
    const { signal, onEvent, attachments, timeoutMs = this.#settings.timeoutMs } = read;
    checkTimeout(timeoutMs);
    if (this.#closing) throw closed();
    const message = { prompt: wellFormed(prompt), ...(attachments ? wellFormedDeep({ attachments }) : {}) };
    const { provider, session, firstByteTimeoutMs: most } = this.#settings;
    const firstByteTimeoutMs =
      most ?? planModule().firstByteTimeoutMs(provider.model, session.reasoningEffort);
    const turn = new Turn(
      message,
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
      // The reader of a stream may never reach its end.
      void this.#closeIfOnce();
    };
    turn.reply.then(ended, ended);
    this.#driver.add(turn);
    return turn;
  }

  /** Closes a conversation of one turn, which has ended or could not start. */
  async #closeIfOnce(): Promise<void> {
    if (this.#settings.once) await this.close();
  }

  async #close(deleteHistory: boolean): Promise<void> {
    const ended = this.#driver.close(deleteHistory).then(() => this.#settings.onClosed());
    await withDeadline(ended, CLOSE_MS, () => {});
  }
}
