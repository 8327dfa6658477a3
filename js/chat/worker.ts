import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CopilotClientOptions } from "@github/copilot-sdk";
import { FoundryAgent } from "../copilot/agent.js";
import type { Conversation } from "../copilot/conversation.js";
import { providerOptions } from "../copilot/options.js";
import { loadSdk } from "../copilot/sdk.js";
import { chatTools } from "../copilot/session-config.js";
import { preloadIdentity } from "../credentials/default.js";
import type { ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { planProvider } from "../foundry/plan.js";
import { createFoundryProvider } from "../foundry/provider.js";
import type {
  ChatTokenStatus,
  EngineEvent,
  EngineRequest,
  EngineResult,
  NamedSession,
  TurnOutcome,
} from "../http/contract.js";
import { clientClosed, closing, cutOff, sessionBusy, sessionNotFound } from "../http/problem.js";
import { tokenStatus } from "../http/token-status.js";
import { coreEnvironment, environment } from "../platform/environment.js";
import { makeFolder } from "../platform/node.js";
import { checkSameModel, chosenModel } from "./chosen-model.js";
import { Conversations } from "./conversations.js";
import type { ChatModel, ServiceLimits, ServiceOptions } from "./options.js";
import { replyEvents } from "./reply-events.js";
import type { Running } from "./running.js";
import { SessionIds } from "./session-ids.js";
import { StoredTurns } from "./stored-turns.js";

/** The state of a handler. Contains no token and no text of a conversation. */
export interface ChatStatus {
  /**
   * `misconfigured` if the settings are wrong; `closing` while `close` waits for running turns, and
   * then `closed`.
   */
  state: "open" | "misconfigured" | "closing" | "closed";
  /**
   * Whether the runtime was started, by a request or by `warmUp`. Before that the state only reflects
   * the settings: whether a token can be acquired and the runtime starts is not known.
   */
  started: boolean;
  /**
   * Whether requests can be answered: false if there is no token and the last attempt to acquire
   * one failed.
   */
  healthy: boolean;
  /** Which credential acquires the tokens. */
  credential?: string;
  models?: string[];
  /** `empty` until a token was acquired, for the first request or by `warmUp`. */
  token?: ChatTokenStatus;
  /** How many turns are running. */
  turns: number;
  /** How many conversations are kept. */
  conversations: number;
  /** Why the handler is misconfigured: a code of docs/reference/errors.md. */
  error?: ErrorCode;
}

/**
 * Lower than the agent's default: an instance has less memory than a server, and most conversations
 * are short.
 */
const SESSIONS_PER_RUNTIME = 100;

/** What differs between the handlers. */
export interface WorkerSettings {
  /**
   * A folder for the runtime's files that outlives the process and that no other one uses: the
   * histories in it stay, and named conversations continue. Default: a temporary one.
   */
  home?: string | undefined;
  /** Runs when the runtime starts. */
  onStart?: (() => void) | undefined;
}

/** The options for the agent. */
export type WorkerOptions = Omit<ServiceOptions, "models" | "limits" | "exposeErrors" | "resumeMs">;

/** Holds what invocations share: agent, providers and conversations. */
export class ChatWorker {
  readonly #options: WorkerOptions;
  readonly #models: ChatModel[];
  readonly #ids: SessionIds;
  readonly #conversations: Conversations;
  readonly #settings: WorkerSettings;
  /** The turns of conversations that are kept elsewhere. */
  readonly #stored: StoredTurns | undefined;
  #running: Running | undefined;
  /** Why the last start failed. */
  #failure: unknown;
  #closing: Promise<void> | undefined;
  /** Fulfilled when the worker has done what it does before the first request, whether or not it failed. */
  readonly prepared: Promise<void>;

  constructor(options: WorkerOptions, models: ChatModel[], limits: ServiceLimits, settings: WorkerSettings) {
    this.#options = options;
    this.#models = models;
    this.#ids = new SessionIds(options.durable?.secret);
    this.#conversations = new Conversations({
      max: limits.conversations,
      maxPerCaller: limits.conversationsPerCaller,
      idleMs: limits.idleMs,
      deleteHistory: options.durable === undefined && settings.home === undefined,
    });
    this.#settings = settings;
    const { conversations } = options;
    this.#stored = conversations && new StoredTurns(conversations, () => this.closed);
    const { warmUp = false } = options;
    // Once the program that creates the handler has ended its turn.
    const created = new Promise<void>((done) => {
      setImmediate(done);
    });
    this.prepared = created.then(() => (warmUp ? this.start() : this.#preload())).catch(() => {});
  }

  /** Imports what the first request needs. Sends nothing and starts nothing. */
  async #preload(): Promise<void> {
    const { credential } = this.#plan();
    // One after the other, so that a runtime can start in between. The first request reports a failure.
    await loadSdk();
    if (this.#options.credential !== "direct") await preloadIdentity(credential.kind);
  }

  /** Runs one turn, of a new conversation or of a kept one, and reports how it ended. */
  async *answer(
    request: EngineRequest,
    call: { caller: string; signal: AbortSignal },
  ): AsyncGenerator<EngineEvent, EngineResult, undefined> {
    let outcome: TurnOutcome = { error: clientClosed() };
    try {
      const result = yield* this.#turn(request, call);
      outcome = { result };
      return result;
    } catch (error) {
      outcome = { error };
      throw error;
    } finally {
      request.ended?.(outcome);
    }
  }

  async *#turn(
    request: EngineRequest,
    { caller, signal: left }: { caller: string; signal: AbortSignal },
  ): AsyncGenerator<EngineEvent, EngineResult, undefined> {
    const { sessionId, model, session, cancel, reference } = request;
    const signal = cancel ? AbortSignal.any([left, cancel]) : left;
    if (this.#stored) return yield* this.#stored.answer(this.#run(), request, { caller, signal });
    const started = session
      ? this.#open(session, caller)
      : sessionId === undefined
        ? this.#begin(model)
        : this.#resume(sessionId, caller, model);
    const { conversation } = started;
    let { id } = started;
    try {
      const said = yield* replyEvents(conversation, request, signal);
      id ??= await conversation.sessionId;
      const sealed = id && (sessionId ?? this.#ids.seal({ id, model: started.model }, caller));
      return { ...said, sessionId: sealed, model: started.model, reference };
    } catch (error) {
      if (error instanceof KeylessError && error.code === "sdk/session-not-found") {
        if (started.id !== undefined) this.#conversations.drop(started.id);
        id = undefined;
        throw sessionNotFound();
      }
      if (error instanceof KeylessError && error.code === "agent/session-open") throw sessionBusy();
      if (error instanceof KeylessError && error.code === "agent/closed" && this.#closing) throw cutOff();
      throw error;
    } finally {
      await this.#keepOrEnd(id, caller, conversation);
    }
  }

  /** Keeps a conversation after its turn, or ends it. */
  async #keepOrEnd(id: string | undefined, caller: string, conversation: Conversation): Promise<void> {
    // Its first turn failed, so nobody knows its id.
    if (id === undefined || this.#closing) return this.#conversations.end(conversation);
    if (!this.#options.durable) return this.#conversations.keep(id, caller, conversation);
    // The next turn may run in another instance, which cannot open a session that is open here.
    await conversation.close().catch(() => {});
    this.#conversations.drop(id);
  }

  /** Starts the runtime and acquires the first token, before the first request. */
  async start(): Promise<void> {
    // First, so that the runtime starts before a credential's package is loaded.
    await loadSdk().catch(() => {});
    await this.#run().agent.warmUp();
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Sends no request and starts nothing. */
  status(): Omit<ChatStatus, "turns"> {
    const known = { started: this.#running !== undefined, conversations: this.#conversations.size };
    if (this.#closing) return { state: "closed", healthy: false, ...known };
    try {
      return {
        state: "open",
        ...(this.#running ? statusOf(this.#running) : this.#plannedStatus()),
        ...known,
      };
    } catch (error) {
      const code = error instanceof KeylessError ? error.code : "chat/unexpected";
      return { state: "misconfigured", healthy: false, ...known, error: code };
    }
  }

  /** Ends running turns, conversations, the runtime and the token provider. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #run(): Running {
    if (this.#closing) throw closing();
    try {
      this.#running ??= this.#start();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    return this.#running;
  }

  /** The status by the settings, before the first request. */
  #plannedStatus() {
    if (this.#failure) throw this.#failure;
    const plan = this.#plan();
    const models = [plan.model, ...this.#models.map(({ name }) => name)];
    const token: ChatTokenStatus = { state: "empty", refreshing: false, consecutiveFailures: 0 };
    return { healthy: true, credential: plan.credential.kind, models: [...new Set(models)], token };
  }

  #plan() {
    const {
      client: _,
      session: __,
      durable: ___,
      conversations: ____,
      warmUp: _____,
      credential,
      tokens,
      env = environment(),
      ...options
    } = this.#options;
    const ownCredential =
      (credential !== undefined && credential !== "direct") || typeof tokens === "function";
    return planProvider({ ...options, ownCredential, env: coreEnvironment(env) });
  }

  #start(): Running {
    const { client, session, durable, conversations: _, warmUp: __, ...options } = this.#options;
    const chosen = durable?.baseDirectory ?? this.#settings.home;
    const home = homeFor(chosen);
    const temporary = chosen === undefined;
    try {
      const agent = new FoundryAgent({
        sessionsPerRuntime: SESSIONS_PER_RUNTIME,
        preset: "chat",
        ...options,
        client: { ...client, ...multiUserOptions(home), ...this.#stored?.clientOptions },
        session: { availableTools: chatTools(session), ...session, ...this.#stored?.sessionOptions },
      });
      const models = new Map([[agent.provider.model, agent.provider]]);
      for (const { name, model = name, deployment } of this.#models) {
        const { tokens } = agent.provider;
        if (!models.has(name))
          models.set(name, createFoundryProvider({ ...providerOptions(options), model, deployment, tokens }));
      }
      this.#settings.onStart?.();
      // Acquires the first token while the runtime starts. The turn reports a failure.
      if (agent.provider.scope !== undefined) agent.provider.tokens().catch(() => {});
      return { agent, models, home, temporary };
    } catch (error) {
      if (temporary) rmSync(home, { recursive: true, force: true });
      throw error;
    }
  }

  #begin(wanted: string | undefined): { conversation: Conversation; model: string; id: undefined } {
    const { agent, models } = this.#run();
    const { name: model, provider } = chosenModel(models, wanted);
    return { conversation: agent.conversation({ provider }), model, id: undefined };
  }

  #resume(sealed: string, caller: string, wanted: string | undefined) {
    const { agent, models } = this.#run();
    const name = this.#ids.open(sealed, caller);
    const provider = name && models.get(name.model);
    if (!name || !provider) throw sessionNotFound();
    const { id, model } = name;
    checkSameModel(model, wanted);
    const conversation = this.#conversations.take(id, caller, () => {
      if (!this.#options.durable) throw sessionNotFound();
      return agent.conversation({ resume: id, provider });
    });
    return { conversation, model, id };
  }

  /** Takes a conversation by its name, from memory, by its history, or as a new one. */
  #open({ id, mustExist }: NamedSession, caller: string) {
    const { agent, models, home } = this.#run();
    const [model = ""] = models.keys();
    const provider = models.get(model);
    const conversation = this.#conversations.take(id, caller, () => {
      const hasHistory = existsSync(join(home, "session-state", id, "events.jsonl"));
      if (mustExist && !hasHistory) throw sessionNotFound();
      return agent.conversation(hasHistory ? { resume: id, provider } : { id, provider });
    });
    return { conversation, model, id };
  }

  async #close(): Promise<void> {
    this.#conversations.clear();
    this.#options.conversations?.close();
    const running = this.#running;
    if (!running) return;
    await running.agent.close();
    const { home, temporary } = running;
    if (temporary) rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

function statusOf({ agent, models }: Running) {
  const { status, healthy } = tokenStatus(agent.provider.tokens);
  return {
    healthy,
    credential: agent.provider.credential.kind,
    models: [...models.keys()],
    token: status,
  };
}

/** Creates the folder for the runtime's files, in which the runtime starts. */
function homeFor(chosen: string | undefined): string {
  try {
    if (chosen === undefined) return mkdtempSync(join(tmpdir(), "copilot-keyless-"));
    makeFolder(chosen);
    return chosen;
  } catch (cause) {
    throw new KeylessError(
      "sdk/home-not-writable",
      `The folder for the runtime's files could not be created in ${chosen ?? tmpdir()}`,
      {
        hint: "Choose a writable folder: durable: { baseDirectory }, a hosted agent's home, or TMPDIR.",
        cause,
      },
    );
  }
}

/**
 * Client options for a runtime that serves several users: no tool, skill or instruction that the
 * app did not add.
 */
function multiUserOptions(baseDirectory: string): CopilotClientOptions {
  return { mode: "empty", baseDirectory };
}
