import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CopilotClientOptions, SessionEvent } from "@github/copilot-sdk";
import { FoundryAgent } from "../copilot/agent.js";
import type { Conversation } from "../copilot/conversation.js";
import { providerOptions } from "../copilot/options.js";
import { chatTools } from "../copilot/session-config.js";
import type { ErrorCode } from "../errors/codes.js";
import { KeylessError } from "../errors/keyless-error.js";
import { planProvider } from "../foundry/plan.js";
import { createFoundryProvider, type FoundryProvider } from "../foundry/provider.js";
import type {
  ChatTokenStatus,
  EngineEvent,
  EngineRequest,
  EngineResult,
  NamedSession,
  TurnOutcome,
} from "../http/contract.js";
import { chatError, clientClosed, closing, cutOff, unknownModel } from "../http/problem.js";
import { tokenStatus } from "../http/token-status.js";
import { coreEnvironment, environment } from "../platform/environment.js";
import { makeFolder } from "../platform/node.js";
import { Conversations, sessionBusy } from "./conversations.js";
import { EventQueue } from "./event-queue.js";
import type { ChatModel, ServiceLimits, ServiceOptions } from "./options.js";
import { SessionIds } from "./session-ids.js";

/** The state of a handler. Contains no token and no text of a conversation. */
export interface ChatStatus {
  /**
   * `misconfigured` if the settings are wrong; `closing` while `close` waits for running turns, and
   * then `closed`.
   */
  state: "open" | "misconfigured" | "closing" | "closed";
  /**
   * Whether a request has started the runtime. Before that the state only reflects the settings:
   * whether a token can be acquired and the runtime starts is not known.
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
  /** `empty` before the first request. */
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

/** The agent of a worker and its models, created with the first request. */
interface Running {
  agent: FoundryAgent;
  /** By the names that callers use. The first is the default. */
  models: Map<string, FoundryProvider>;
  /** The folder of the runtime's files. */
  home: string;
  /** Whether it is removed at the end. */
  temporary: boolean;
}

/** Holds what invocations share: agent, providers and conversations. */
export class ChatWorker {
  readonly #options: WorkerOptions;
  readonly #models: ChatModel[];
  readonly #ids: SessionIds;
  readonly #conversations: Conversations;
  readonly #settings: WorkerSettings;
  #running: Running | undefined;
  /** Why the last start failed. */
  #failure: unknown;
  #closing: Promise<void> | undefined;

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
    { prompt, sessionId, model, session, requestHeaders, cancel, raw, reference }: EngineRequest,
    { caller, signal: left }: { caller: string; signal: AbortSignal },
  ): AsyncGenerator<EngineEvent, EngineResult, undefined> {
    const started = session
      ? this.#open(session, caller)
      : sessionId === undefined
        ? this.#begin(model)
        : this.#resume(sessionId, caller, model);
    const { conversation } = started;
    const signal = cancel ? AbortSignal.any([left, cancel]) : left;
    const events = new EventQueue<EngineEvent>();
    const push = (event: EngineEvent) => events.push(event);
    const onEvent = raw ? (event: SessionEvent) => push({ type: "raw", event }) : toolEvents(push);
    let text = "";
    const onText = (piece: string) => {
      text += piece;
      if (!raw) push({ type: "delta", text: piece });
    };
    let { id } = started;
    try {
      const stream = conversation.stream(prompt, { signal, onEvent, requestHeaders });
      pump(stream, events, onText);
      yield* events;
      const { text: reply, usage } = await stream.reply;
      id ??= await conversation.sessionId;
      const sealed = id && (sessionId ?? this.#ids.seal({ id, model: started.model }, caller));
      return { reply, sessionId: sealed, model: started.model, text, usage, reference };
    } catch (error) {
      if (error instanceof KeylessError && error.code === "sdk/session-not-found") {
        if (started.id !== undefined) this.#conversations.drop(started.id);
        id = undefined;
        throw notFound();
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
    const {
      client: _,
      session: __,
      durable: ___,
      credential,
      tokens,
      env = environment(),
      ...options
    } = this.#options;
    const ownCredential =
      (credential !== undefined && credential !== "direct") || typeof tokens === "function";
    const plan = planProvider({ ...options, ownCredential, env: coreEnvironment(env) });
    const models = [plan.model, ...this.#models.map(({ name }) => name)];
    const token: ChatTokenStatus = { state: "empty", refreshing: false, consecutiveFailures: 0 };
    return { healthy: true, credential: plan.credential.kind, models: [...new Set(models)], token };
  }

  #start(): Running {
    const { client, session, durable, ...options } = this.#options;
    const chosen = durable?.baseDirectory ?? this.#settings.home;
    const home = homeFor(chosen);
    const temporary = chosen === undefined;
    try {
      const agent = new FoundryAgent({
        sessionsPerRuntime: SESSIONS_PER_RUNTIME,
        preset: "chat",
        ...options,
        client: { ...client, ...multiUserOptions(home) },
        session: { availableTools: chatTools(session), ...session },
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
    const [first = ""] = models.keys();
    const model = wanted ?? first;
    const provider = models.get(model);
    if (!provider) throw unknownModel(models.keys());
    return { conversation: agent.conversation({ provider }), model, id: undefined };
  }

  #resume(sealed: string, caller: string, wanted: string | undefined) {
    const { agent, models } = this.#run();
    const name = this.#ids.open(sealed, caller);
    const provider = name && models.get(name.model);
    if (!name || !provider) throw notFound();
    const { id, model } = name;
    if (wanted !== undefined && wanted !== model) {
      throw chatError(
        "chat/model-mismatch",
        400,
        `This conversation is with ${model}`,
        "Start a new one for another model.",
      );
    }
    const conversation = this.#conversations.take(id, caller, () => {
      if (!this.#options.durable) throw notFound();
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
      if (mustExist && !hasHistory) throw notFound();
      return agent.conversation(hasHistory ? { resume: id, provider } : { id, provider });
    });
    return { conversation, model, id };
  }

  async #close(): Promise<void> {
    this.#conversations.clear();
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

/** Reports the tools that the main agent uses. Their arguments and results are not disclosed. */
function toolEvents(onTool: (event: EngineEvent) => void) {
  const names = new Map<string, string>();
  return (event: SessionEvent): void => {
    if (event.agentId !== undefined) return;
    if (event.type === "tool.execution_start") {
      const { toolCallId: id, toolName: name } = event.data;
      names.set(id, name);
      onTool({ type: "tool", id, name, state: "started" });
    } else if (event.type === "tool.execution_complete") {
      const { toolCallId: id, success } = event.data;
      onTool({ type: "tool", id, name: names.get(id) ?? "", state: success ? "succeeded" : "failed" });
    }
  };
}

async function pump(
  texts: AsyncIterable<string>,
  events: EventQueue<EngineEvent>,
  onText: (text: string) => void,
): Promise<void> {
  try {
    for await (const text of texts) onText(text);
    events.end();
  } catch (error) {
    events.fail(error);
  }
}

/** The same error for an id that is unknown, expired, or another caller's. */
function notFound(): KeylessError {
  return chatError(
    "chat/session-not-found",
    404,
    "There is no such conversation, or it has ended",
    "Start a new one, without a sessionId.",
  );
}
