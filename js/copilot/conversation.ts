import type { SessionEvent } from "@github/copilot-sdk";
import {
  abortSignal,
  type Checks,
  callback,
  checkArgument,
  flag,
  number,
  quiet,
  readOptions,
  text,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { wellFormed } from "../platform/well-formed.js";
import { withDeadline } from "../platform/with-deadline.js";
import { closed } from "./closed.js";
import { type DriverSettings, SessionDriver } from "./session-driver.js";
import { Turn } from "./turn.js";

/** Options of one turn. */
export interface ChatOptions {
  signal?: AbortSignal | undefined;
  /** How long this turn may take, in milliseconds. Default: the agent's. */
  timeoutMs?: number | undefined;
  /**
   * Receives every SDK event of the turn that follows the prompt's own message: `assistant.reasoning_delta`, `tool.execution_start`,
   * `tool.execution_complete`, `assistant.usage` and the rest, those of sub-agents too. Where the prompt is sent again because its runtime
   * has died, they begin anew. What it throws, or rejects with, is ignored.
   */
  onEvent?: ((event: SessionEvent) => void) | undefined;
}

/** Settings that a conversation gets from its agent. */
export interface ConversationSettings extends DriverSettings {
  /** How long a turn may take, in milliseconds, where it does not say so itself. */
  timeoutMs: number;
  /** Whether it ends with its first turn. */
  once: boolean;
  /** Whether its history is deleted at its end, unless `close` says otherwise. */
  forget: boolean;
  onClosed: () => void;
}

const CHAT_CHECKS: Checks<ChatOptions> = { signal: abortSignal, timeoutMs: number, onEvent: callback };

/** How long `close` waits for what the runtime has still to do, in milliseconds. It is done all the same. */
const CLOSE_MS = 800;

/**
 * A conversation with the model: one session of the Copilot runtime, whose turns run one after another. It starts with the first
 * turn. Where its runtime is replaced or dies, the session moves to another one, with all that was said. Get one from
 * {@link ManagedIdentityCopilotAgent.conversation}.
 */
export class Conversation implements AsyncDisposable {
  readonly #settings: ConversationSettings;
  readonly #driver: SessionDriver;
  #closing: Promise<void> | undefined;
  #forgets = false;

  /** @internal */
  constructor(settings: ConversationSettings) {
    this.#settings = settings;
    this.#driver = new SessionDriver(settings);
  }

  /** The session's id, once the first turn has begun. With it the conversation can be taken up again. */
  get sessionId(): Promise<string> | undefined {
    return this.#driver.sessionId;
  }

  /**
   * Sends a prompt and gives the whole reply: the last message of the turn. A tool of this conversation that waits for another of its turns
   * waits for itself, until the time is up.
   */
  async chat(prompt: string, options: ChatOptions = {}): Promise<string> {
    const { reply } = this.#begin(prompt, options);
    try {
      return await reply;
    } finally {
      await this.#over();
    }
  }

  /**
   * Sends a prompt and gives the reply's text as it comes, of every message of the turn. Leaving the loop early aborts the turn.
   */
  stream(prompt: string, options: ChatOptions = {}): AsyncIterableIterator<string> {
    const turn = this.#begin(prompt, options);
    const texts = turn.texts();
    let left = false;
    const done = { done: true, value: undefined } as const;
    const iterator: AsyncIterableIterator<string> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        if (left) return done;
        const next = await texts.next();
        if (!next.done) return next;
        try {
          if (!left) await turn.reply;
        } finally {
          await this.#over();
        }
        return done;
      },
      // Not a generator's: that would wait for the next piece before it hears of this.
      return: async () => {
        left = true;
        turn.abort();
        await this.#over();
        return done;
      },
    };
    return iterator;
  }

  /**
   * Aborts a running turn and ends the session, within a second. What was said stays on disk and can be taken up again by its id, unless
   * it is to be forgotten.
   */
  async close(options: { forget?: boolean | undefined } = {}): Promise<void> {
    const { forget } = readOptions(options, { forget: flag }, "agent/invalid-option");
    if (!this.#closing) {
      this.#forgets = forget ?? this.#settings.forget;
      this.#closing = this.#close(this.#forgets);
    } else if (forget && !this.#forgets) throw closed();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(prompt: string, options: ChatOptions): Turn {
    try {
      return this.#enqueue(prompt, options);
    } catch (error) {
      void this.#over();
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
    const { signal, onEvent, timeoutMs = this.#settings.timeoutMs } = read;
    checkTimeout(timeoutMs);
    if (this.#closing) throw closed();
    const turn = new Turn(wellFormed(prompt), timeoutMs, {
      explain: (failure) => this.#driver.explain(failure),
      onEvent: quiet(onEvent),
    });
    const stop = () => turn.fail(signal?.reason);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    const ended = () => {
      signal?.removeEventListener("abort", stop);
      // Its reader may never come to the end.
      void this.#over();
    };
    turn.reply.then(ended, ended);
    this.#driver.add(turn);
    return turn;
  }

  /** A turn has ended, or did not begin. */
  async #over(): Promise<void> {
    if (this.#settings.once) await this.close();
  }

  async #close(forget: boolean): Promise<void> {
    const ended = this.#driver.close(forget).then(() => this.#settings.onClosed());
    await withDeadline(ended, CLOSE_MS, () => {});
  }
}

export function checkTimeout(timeoutMs: number): void {
  if (Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs < 2 ** 31) return;
  throw new KeylessError(
    "agent/invalid-option",
    "timeoutMs must be a positive number of milliseconds, below 2^31",
    {
      hint: "Leave it out to get the default of 120,000.",
    },
  );
}
