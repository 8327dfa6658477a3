import type {
  CopilotClient,
  CopilotClientOptions,
  CopilotSession,
  ProviderConfig,
  SessionConfig,
} from "@github/copilot-sdk";
import { systemClock, unref } from "./clock.js";
import { KeylessError } from "./errors.js";
import {
  createFoundryProvider,
  type FoundryProvider,
  type FoundryProviderOptions,
} from "./foundry-provider.js";
import { runtimeError, START_MS, startClient } from "./sdk.js";
import { Turn } from "./turn.js";
import { within } from "./within.js";

/** Options of {@link ManagedIdentityCopilotAgent}: those of `createFoundryProvider`, and the session's. */
export interface AgentOptions extends FoundryProviderOptions {
  /** A started client of your own, which stays yours to stop; or options for the one that is made. */
  client?: CopilotClient | CopilotClientOptions | undefined;
  /** More of the session's config, such as `tools` and `onPermissionRequest`. By default every permission is denied. */
  session?:
    | Omit<Partial<SessionConfig>, "model" | "provider" | "providers" | "models" | "streaming">
    | undefined;
  /** Appended to the runtime's own system message. */
  systemMessage?: string | undefined;
  /** How long a turn may take, in milliseconds. Default 120,000. */
  timeoutMs?: number | undefined;
}

/** Options of one turn. */
export interface ChatOptions {
  signal?: AbortSignal | undefined;
  /** How long this turn may take, in milliseconds. */
  timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 120_000;

/** How often a running turn looks whether the runtime still lives: its end raises no event. */
const PULSE_MS = 1_000;

/** How long the runtime may take to answer a ping, and to end. */
const PATIENCE_MS = 5_000;

/**
 * A Copilot conversation with a Foundry model and no API key. One session; turns run one after another. The client and the
 * session start with the first turn.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `policy/invalid` from the constructor; from a turn also
 * `credential/...`, `token/...`, `sdk/...`, `model/...` and `agent/...`
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
  readonly #options: AgentOptions;
  #client: CopilotClient | undefined;
  #session: Promise<CopilotSession> | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #turn: Turn | undefined;
  #closing: Promise<void> | undefined;
  /** The session to take up again after the runtime has ended unasked. */
  #lost: string | undefined;
  #unwatch: (() => void) | undefined;
  /** The running session's id. */
  #id: string | undefined;

  constructor(options: AgentOptions = {}) {
    const { client: _client, session: _session, systemMessage: _message, timeoutMs, ...provider } = options;
    checkTimeout(timeoutMs);
    this.provider = createFoundryProvider(provider);
    this.#options = options;
  }

  /** The session's id, once the first turn has begun. */
  get sessionId(): Promise<string> | undefined {
    return this.#session?.then((session) => session.sessionId);
  }

  /** Sends a prompt and gives the whole reply: the last message of the turn. */
  async chat(prompt: string, options: ChatOptions = {}): Promise<string> {
    return this.#begin(prompt, options).reply;
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
        if (!left) await turn.reply;
        return done;
      },
      // Not a generator's: that would wait for the next piece before it hears of this.
      return: async () => {
        left = true;
        turn.abort();
        return done;
      },
    };
    return iterator;
  }

  /** Aborts a running turn and ends the session, the client if it is the agent's own, and the token provider. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(prompt: string, options: ChatOptions): Turn {
    if (typeof prompt !== "string" || prompt.trim() === "") {
      throw new KeylessError("agent/empty-prompt", "The prompt is empty", {
        hint: "Pass a text to chat() or stream().",
      });
    }
    checkTimeout(options.timeoutMs);
    if (this.#closing) throw closed();
    const turn = new Turn((failure) => this.provider.explain(failure, this.#id));
    const { signal } = options;
    const stop = () => turn.fail(signal?.reason);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS;
    this.#queue = this.#queue
      .then(() => this.#run(turn, prompt, timeoutMs))
      .finally(() => signal?.removeEventListener("abort", stop));
    return turn;
  }

  /** Runs one turn to its end. Never rejects: the turn tells its caller. */
  async #run(turn: Turn, prompt: string, timeoutMs: number): Promise<void> {
    if (this.#closing) turn.fail(closed());
    if (turn.ended) return;
    const late = () =>
      turn.fail(
        new KeylessError("agent/timeout", `The turn took longer than ${timeoutMs} ms`, {
          hint: "Raise timeoutMs, or look at the model's load; the turn has been aborted.",
        }),
      );
    const timer = systemClock.setTimeout(late, timeoutMs);
    this.#turn = turn;
    try {
      // A turn that ends meanwhile, by its time or its caller, does not wait for a runtime that hangs.
      const session = await Promise.race([this.#started(), turn.reply.then(() => Promise.reject())]);
      this.#pulse(turn);
      await turn.run(session, prompt);
    } catch (error) {
      turn.fail(runtimeError(error, "session"));
    } finally {
      this.#turn = undefined;
      systemClock.clearTimeout(timer);
    }
  }

  /** The session, started by the first turn, and again when the runtime or its start has failed. */
  async #started(): Promise<CopilotSession> {
    if (this.#client && !(await isAlive(this.#client))) await this.#lose();
    this.#session ??= this.#start();
    const session = this.#session;
    session.catch(() => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }

  async #start(): Promise<CopilotSession> {
    const { client, session, systemMessage } = this.#options;
    this.#client ??= isClient(client) ? client : await startClient(client);
    if (this.#closing) {
      if (!isClient(client)) this.#client.forceStop().catch(() => {});
      throw closed();
    }
    const config: SessionConfig = {
      onPermissionRequest: () => ({ kind: "reject", feedback: "This program permits no tools." }),
      ...(systemMessage === undefined ? {} : { systemMessage: { mode: "append", content: systemMessage } }),
      ...session,
      streaming: true,
      model: this.provider.model,
      provider: this.#reportingProvider(),
    };
    const own = this.#client;
    try {
      // What the runtime wrote down of a lost session may be incomplete; a new one always works.
      const lost = this.#lost;
      const opened = (async () => {
        const resumed = lost && (await own.resumeSession(lost, config).catch(() => undefined));
        return resumed || (await own.createSession(config));
      })();
      const started = await within(opened, START_MS, () => {
        throw new Error(`no answer within ${START_MS / 1000} s`);
      });
      this.#unwatch?.();
      this.#unwatch = this.provider.watch(started);
      this.#id = started.sessionId;
      return started;
    } catch (error) {
      throw runtimeError(error, "session", isClient(client) ? undefined : client?.baseDirectory);
    }
  }

  /** The runtime has ended: what belonged to it is let go. A client of the user's own is theirs to start again. */
  async #lose(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#lost = (await session?.catch(() => undefined))?.sessionId ?? this.#lost;
    const own = isClient(this.#options.client);
    if (own) throw runtimeEnded(own);
    await within(this.#client?.forceStop() ?? Promise.resolve(), PATIENCE_MS, () => {}).catch(() => {});
    this.#client = undefined;
  }

  /** Ends the turn when the runtime has gone. */
  #pulse(turn: Turn): void {
    const pulse = systemClock.setTimeout(async () => {
      if (turn.ended || !this.#client) return;
      if (await isAlive(this.#client)) this.#pulse(turn);
      else turn.fail(runtimeEnded(isClient(this.#options.client)));
    }, PULSE_MS);
    unref(pulse);
  }

  /** The provider's config, whose token errors reach the running turn as they are. */
  #reportingProvider(): ProviderConfig {
    const { bearerTokenProvider, ...config } = this.provider.config;
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

  async #close(): Promise<void> {
    this.#turn?.fail(closed());
    const bounded = (step: Promise<unknown> | undefined) =>
      within(step?.then(() => true) ?? Promise.resolve(true), PATIENCE_MS, () => false).catch(() => false);
    try {
      await bounded(this.#queue);
      const session = this.#session;
      await bounded(session?.then((open) => open.disconnect()));
      const client = isClient(this.#options.client) ? undefined : this.#client;
      // A runtime that does not end when it is asked to is ended.
      if (client && !(await bounded(client.stop()))) await bounded(client.forceStop());
    } finally {
      this.#unwatch?.();
      this.provider.close();
    }
  }
}

function isClient(client: CopilotClient | CopilotClientOptions | undefined): client is CopilotClient {
  return typeof (client as CopilotClient | undefined)?.createSession === "function";
}

function isAlive(client: CopilotClient): Promise<boolean> {
  const answered = client.ping().then(
    () => true,
    () => false,
  );
  return within(answered, PATIENCE_MS, () => false);
}

function runtimeEnded(ownClient: boolean): KeylessError {
  const next = ownClient
    ? "Start your client again; the next turn takes the conversation up where it can."
    : "The next turn starts it again and takes the conversation up where it can.";
  return new KeylessError("sdk/runtime-ended", "The Copilot runtime has ended unexpectedly", {
    hint: `${next} Look for what ended it, such as too little memory.`,
  });
}

function checkTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs < 2 ** 31)) return;
  throw new KeylessError(
    "agent/invalid-option",
    "timeoutMs must be a positive number of milliseconds, below 2^31",
    {
      hint: "Leave it out to get the default of 120,000.",
    },
  );
}

function closed(): KeylessError {
  return new KeylessError("agent/closed", "The agent is closed", { hint: "Create a new one." });
}
