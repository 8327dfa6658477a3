import type {
  CopilotClient,
  CopilotSession,
  ProviderConfig,
  SessionConfig,
  SessionEvent,
} from "@github/copilot-sdk";
import { systemClock, unref } from "./clock.js";
import { KeylessError } from "./errors.js";
import type { FoundryProvider } from "./foundry-provider.js";
import { bounded, type Lease, type Runtime } from "./runtime.js";
import { runtimeError } from "./runtime-error.js";
import { START_MS } from "./sdk.js";
import { Turn } from "./turn.js";
import { wellFormed } from "./well-formed.js";
import { within } from "./within.js";

/** Options of one turn. */
export interface ChatOptions {
  signal?: AbortSignal | undefined;
  /** How long this turn may take, in milliseconds. Default: the agent's. */
  timeoutMs?: number | undefined;
  /**
   * Told of everything that happens in the turn, as the Copilot SDK tells it: `assistant.reasoning_delta`, `tool.execution_start`,
   * `tool.execution_complete`, `assistant.usage` and the rest, those of sub-agents too. What it throws is ignored.
   */
  onEvent?: ((event: SessionEvent) => void) | undefined;
}

/** What a conversation has of its agent. */
export interface ConversationSettings {
  provider: FoundryProvider;
  runtime: Runtime;
  /** The session's config but for model and provider. */
  session: Partial<SessionConfig>;
  timeoutMs: number;
  /** The session to take up. */
  resume: string | undefined;
  /** Whether it ends with its first turn. */
  once: boolean;
  onClosed: () => void;
}

/** How often a running turn looks whether the runtime still lives: its end raises no event. */
const PULSE_MS = 1_000;

/**
 * A conversation with the model: one session of the Copilot runtime, whose turns run one after another. It starts with the first
 * turn. Get one from {@link ManagedIdentityCopilotAgent.conversation}.
 */
export class Conversation implements AsyncDisposable {
  readonly #settings: ConversationSettings;
  #session: Promise<CopilotSession> | undefined;
  #lease: Lease | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #turn: Turn | undefined;
  #closing: Promise<void> | undefined;
  /** The session to take up again after the runtime has ended unasked. */
  #lost: string | undefined;
  #unwatch: (() => void) | undefined;
  /** The id of the session that this conversation has, and no other takes up meanwhile. */
  #id: string | undefined;

  /** @internal */
  constructor(settings: ConversationSettings) {
    this.#settings = settings;
  }

  /** The session's id, once the first turn has begun. With it the conversation can be taken up again. */
  get sessionId(): Promise<string> | undefined {
    return this.#session?.then((session) => session.sessionId);
  }

  /** Sends a prompt and gives the whole reply: the last message of the turn. */
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
   * Aborts a running turn and ends the session. What was said stays on disk and can be taken up again by its id, unless it is to
   * be forgotten.
   */
  close(options: { forget?: boolean | undefined } = {}): Promise<void> {
    this.#closing ??= this.#close(options.forget === true);
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
    if (typeof prompt !== "string" || prompt.trim() === "") {
      throw new KeylessError("agent/empty-prompt", "The prompt is empty", {
        hint: "Pass a text to chat() or stream().",
      });
    }
    const { signal, onEvent, timeoutMs = this.#settings.timeoutMs } = options;
    checkTimeout(timeoutMs);
    if (this.#closing) throw closed();
    const turn = new Turn({
      explain: (failure) => this.#settings.provider.explain(failure, this.#id),
      onEvent: onEvent ?? (() => {}),
    });
    // Its reader may never come to the end.
    void turn.reply.catch(() => {}).then(() => this.#over());
    const stop = () => turn.fail(signal?.reason);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    this.#queue = this.#queue
      .then(() => this.#run(turn, wellFormed(prompt), timeoutMs))
      .finally(() => signal?.removeEventListener("abort", stop));
    return turn;
  }

  /** A turn has ended, or did not begin. */
  async #over(): Promise<void> {
    if (this.#settings.once) await this.close();
  }

  /** Runs one turn to its end. Never rejects: the turn tells its caller. */
  async #run(turn: Turn, prompt: string, timeoutMs: number): Promise<void> {
    if (this.#closing) turn.fail(closed());
    if (turn.ended) return;
    const stopTimer = turn.endIn(timeoutMs);
    this.#turn = turn;
    try {
      // A turn that ends meanwhile, by its time or its caller, does not wait for a runtime that hangs.
      const session = await Promise.race([this.#started(), turn.reply.then(() => Promise.reject())]);
      this.#pulse(turn);
      await turn.run(session, prompt);
      this.#lease?.turned();
      if (turn.sessionGone) await this.#leave();
    } catch (error) {
      turn.fail(runtimeError(error, "session"));
    } finally {
      this.#turn = undefined;
      stopTimer();
    }
  }

  /** The session, started by the first turn, and again when the runtime or its start has failed. */
  async #started(): Promise<CopilotSession> {
    if (this.#lease && !(await this.#lease.isAlive())) await this.#lose(this.#lease);
    if (this.#lease?.worn && this.#session) await this.#move(this.#lease);
    this.#session ??= this.#start();
    const session = this.#session;
    session.catch(() => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }

  async #start(): Promise<CopilotSession> {
    const { runtime, provider, session, resume } = this.#settings;
    this.#lease ??= await runtime.lease();
    const { client } = this.#lease;
    const config: SessionConfig = {
      onPermissionRequest: () => ({ kind: "reject", feedback: "This program permits no tools." }),
      ...session,
      streaming: true,
      model: provider.model,
      provider: this.#reportingProvider(),
    };
    const before = this.#id;
    try {
      if (this.#closing) throw closed();
      this.#hold(this.#lost ?? resume ?? config.sessionId);
      const opened = this.#open(client, config);
      const started = await within(opened, START_MS, () => {
        opened.then(end).catch(() => {});
        throw new Error(`no answer within ${START_MS / 1000} s`);
      });
      if (this.#closing) {
        await end(started);
        throw closed();
      }
      this.#unwatch?.();
      this.#unwatch = provider.watch(started);
      this.#hold(started.sessionId);
      return started;
    } catch (error) {
      this.#hold(this.#closing ? undefined : before);
      await this.#giveBack();
      throw runtimeError(error, "session", runtime.baseDirectory);
    }
  }

  /** The session that was lost, the one to take up, or a new one. */
  async #open(client: CopilotClient, config: SessionConfig): Promise<CopilotSession> {
    const { resume } = this.#settings;
    const lost = this.#lost;
    // What the runtime wrote down of a lost session may be incomplete; a new one always works.
    const resumed = lost && (await client.resumeSession(lost, config).catch(() => undefined));
    if (resumed) return resumed;
    if (resume === undefined || lost !== undefined) return client.createSession(config);
    return client.resumeSession(resume, config).catch((cause: unknown) => {
      throw notResumed(resume, cause);
    });
  }

  /** Keeps a session to this conversation, instead of the one before: two would end each other's. */
  #hold(id: string | undefined): void {
    const { open } = this.#settings.runtime;
    if (id === this.#id) return;
    if (id !== undefined && open.has(id)) throw sessionOpen(id);
    if (this.#id !== undefined) open.delete(this.#id);
    if (id !== undefined) open.add(id);
    this.#id = id;
  }

  /** Leaves a runtime that has served many turns, to take the session up again on a new one, with all that was said. */
  async #move(lease: Lease): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    this.#lost = session?.sessionId ?? this.#lost;
    await bounded(session?.disconnect());
    this.#lease = undefined;
    await bounded(lease.release());
  }

  /** The runtime has ended: what belonged to it is let go. A client of the user's own is theirs to start again. */
  async #lose(lease: Lease): Promise<void> {
    await this.#leave();
    if (this.#settings.runtime.foreign) throw this.#runtimeEnded();
    await lease.discard();
    this.#lease = undefined;
  }

  /** The session has gone; the next turn takes it up again, if that can be. */
  async #leave(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#lost = (await session?.catch(() => undefined))?.sessionId ?? this.#lost;
  }

  /** Ends the turn when the runtime has gone. */
  #pulse(turn: Turn): void {
    const pulse = systemClock.setTimeout(async () => {
      if (turn.ended || !this.#lease) return;
      if (await this.#lease.isAlive()) this.#pulse(turn);
      else turn.fail(this.#runtimeEnded());
    }, PULSE_MS);
    unref(pulse);
  }

  #runtimeEnded(): KeylessError {
    const next = this.#settings.runtime.foreign
      ? "Start your client again; the next turn takes the conversation up where it can."
      : "The next turn starts it again and takes the conversation up where it can.";
    return new KeylessError("sdk/runtime-ended", "The Copilot runtime has ended unexpectedly", {
      hint: `${next} Look for what ended it, such as too little memory.`,
    });
  }

  /** The provider's config, whose token errors reach the running turn as they are. */
  #reportingProvider(): ProviderConfig {
    const { bearerTokenProvider, ...config } = this.#settings.provider.config;
    if (!bearerTokenProvider) return config;
    return {
      ...config,
      bearerTokenProvider: async (args) => {
        try {
          return await bearerTokenProvider(args);
        } catch (error) {
          this.#turn?.tokenFailed(error);
          throw error;
        }
      },
    };
  }

  async #giveBack(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await bounded(lease?.release());
  }

  async #close(forget: boolean): Promise<void> {
    this.#turn?.fail(closed());
    await bounded(this.#queue);
    await bounded(this.#session?.then(end));
    const id = this.#id;
    if (forget && id !== undefined) await bounded(this.#lease?.client.deleteSession(id));
    this.#unwatch?.();
    this.#hold(undefined);
    await this.#giveBack();
    this.#settings.onClosed();
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

function end(session: CopilotSession): Promise<void> {
  return session.disconnect();
}

function sessionOpen(id: string): KeylessError {
  return new KeylessError("agent/session-open", `The session ${id} is open in another conversation`, {
    hint: "Go on with that one, or close it first.",
  });
}

function notResumed(id: string, cause: unknown): KeylessError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new KeylessError("sdk/session-not-found", `The session ${id} cannot be taken up again: ${said}`, {
    hint: "Give the id of a session whose files are in this COPILOT_HOME (in code: client: { baseDirectory }), or begin a new one.",
    cause,
  });
}

export function closed(): KeylessError {
  return new KeylessError("agent/closed", "The agent, or its conversation, is closed", {
    hint: "Create a new one.",
  });
}
