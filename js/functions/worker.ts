import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CopilotClientOptions, SessionEvent } from "@github/copilot-sdk";
import { ManagedIdentityCopilotAgent } from "../copilot/agent.js";
import type { Conversation } from "../copilot/conversation.js";
import { KeylessError } from "../errors/keyless-error.js";
import { planProvider } from "../foundry/plan.js";
import { createFoundryProvider, type FoundryProvider } from "../foundry/provider.js";
import type { ChatEvent, ChatRequest, ChatResult, ChatTokenStatus } from "../http/contract.js";
import { chatError, closing, unknownModel } from "../http/problem.js";
import { tokenStatus } from "../http/token-status.js";
import { coreEnvironment, environment } from "../platform/environment.js";
import { Conversations, sessionBusy } from "./conversations.js";
import { EventQueue } from "./event-queue.js";
import type { ChatHandlerOptions, ChatModel, FunctionsLimits } from "./options.js";
import { SessionIds } from "./session-ids.js";

/** How a worker stands. It holds no token and nothing that was said. */
export interface ChatStatus {
  /** `misconfigured` where the app cannot be set up, `closed` when it has been told to end. */
  state: "open" | "misconfigured" | "closed";
  /**
   * Whether a request has started the worker. Before that the state tells of the settings alone: whether a token can be had and a runtime
   * starts is not known yet.
   */
  started: boolean;
  /** Whether replies can be expected: false when the last attempt to get a token has failed and none is held. */
  healthy: boolean;
  /** Which credential gives the tokens. */
  credential?: string;
  models?: string[];
  /** `empty` before the worker has started. */
  token?: ChatTokenStatus;
  /** Turns that run. */
  turns: number;
  /** Conversations that are kept. */
  conversations: number;
  /** Why it is misconfigured: a code of docs/reference/errors.md. */
  error?: string;
}

/** An instance has less memory than a server, and most conversations are short. */
const SESSIONS_PER_RUNTIME = 100;

/** The options that concern the agent. */
export type WorkerOptions = Omit<ChatHandlerOptions, "models" | "limits" | "caller" | "exposeErrors">;

/** What an agent is made of, and what has been said: one for the worker, made when the first request comes. */
interface Running {
  agent: ManagedIdentityCopilotAgent;
  /** By the names that callers know. The first is the default. */
  models: Map<string, FoundryProvider>;
  /** To be deleted at the end. */
  temporary: string | undefined;
}

/** All that invocations share: agent, providers and conversations. */
export class ChatWorker {
  readonly #options: WorkerOptions;
  readonly #models: ChatModel[];
  readonly #ids: SessionIds;
  readonly #conversations: Conversations;
  readonly #onStart: () => void;
  #running: Running | undefined;
  /** Why the last start has failed. */
  #failure: unknown;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerOptions, models: ChatModel[], limits: FunctionsLimits, onStart: () => void) {
    this.#options = options;
    this.#models = models;
    this.#ids = new SessionIds(options.durable?.secret);
    this.#conversations = new Conversations({
      max: limits.conversations,
      maxPerCaller: limits.conversationsPerCaller,
      idleMs: limits.idleMs,
      forget: options.durable === undefined,
    });
    this.#onStart = onStart;
  }

  /** One turn, of a new conversation or of one that is kept. */
  async *answer(
    { prompt, sessionId, model }: ChatRequest,
    { caller, signal }: { caller: string; signal: AbortSignal },
  ): AsyncGenerator<ChatEvent, ChatResult, undefined> {
    const held = sessionId === undefined ? this.#begin(model) : this.#resume(sessionId, caller, model);
    const { conversation } = held;
    const events = new EventQueue<ChatEvent>();
    let reply = "";
    let id = held.id;
    const onEvent = toolEvents(
      (event) => events.push(event),
      (text) => {
        reply = text;
      },
    );
    try {
      pump(conversation.stream(prompt, { signal, onEvent }), events);
      yield* events;
      id = await conversation.sessionId;
      const sealed = id && (sessionId ?? this.#ids.seal({ id, model: held.model }, caller));
      return { reply, sessionId: sealed, model: held.model };
    } catch (error) {
      if (error instanceof KeylessError && error.code === "sdk/session-not-found") {
        if (held.id !== undefined) this.#conversations.drop(held.id);
        id = undefined;
        throw notFound();
      }
      if (error instanceof KeylessError && error.code === "agent/session-open") throw sessionBusy();
      throw error;
    } finally {
      await this.#put(id, caller, conversation);
    }
  }

  /** Keeps a conversation after its turn, or ends it. */
  async #put(id: string | undefined, caller: string, conversation: Conversation): Promise<void> {
    // Its first turn has failed, so that nobody knows its id.
    if (id === undefined || this.#closing) return this.#conversations.end(conversation);
    if (!this.#options.durable) return this.#conversations.keep(id, caller, conversation);
    // Any instance may be asked next, and none takes up what is open in another.
    await conversation.close().catch(() => {});
    this.#conversations.drop(id);
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Asks nothing of anybody, and starts nothing. */
  status(): Omit<ChatStatus, "turns"> {
    const known = { started: this.#running !== undefined, conversations: this.#conversations.size };
    if (this.#closing) return { state: "closed", healthy: false, ...known };
    try {
      return { state: "open", ...(this.#running ? ofRunning(this.#running) : this.#planned()), ...known };
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

  /** What the settings say, before the first request. */
  #planned() {
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
    const home = homeFor(durable?.baseDirectory);
    const temporary = durable ? undefined : home;
    const tools = (session?.tools ?? []).map(({ name }) => `custom:${name}`);
    try {
      const agent = new ManagedIdentityCopilotAgent({
        sessionsPerRuntime: SESSIONS_PER_RUNTIME,
        ...options,
        client: { ...client, ...served(home) },
        session: { availableTools: tools, ...session },
      });
      const models = new Map([[agent.provider.model, agent.provider]]);
      for (const { name, model = name, deployment } of this.#models) {
        const { tokens } = agent.provider;
        if (!models.has(name))
          models.set(name, createFoundryProvider({ ...options, model, deployment, tokens }));
      }
      this.#onStart();
      // The first token comes while the runtime starts. If it does not come, the turn tells.
      if (agent.provider.scope !== undefined) agent.provider.tokens().catch(() => {});
      return { agent, models, temporary };
    } catch (error) {
      if (temporary) rmSync(temporary, { recursive: true, force: true });
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
        "Begin a new one for another model.",
      );
    }
    const conversation = this.#conversations.take(id, caller, () => {
      if (!this.#options.durable) throw notFound();
      return agent.conversation({ resume: id, provider });
    });
    return { conversation, model, id };
  }

  async #close(): Promise<void> {
    this.#conversations.clear();
    const running = this.#running;
    if (!running) return;
    await running.agent.close();
    const { temporary } = running;
    if (temporary) rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
  }
}

function ofRunning({ agent, models }: Running) {
  const { status, healthy } = tokenStatus(agent.provider.tokens);
  return {
    healthy,
    credential: agent.provider.credential.kind,
    models: [...models.keys()],
    token: status,
  };
}

/** The folder for the runtime's files. It has to be there: the runtime starts in it. */
function homeFor(chosen: string | undefined): string {
  try {
    if (chosen === undefined) return mkdtempSync(join(tmpdir(), "copilot-keyless-"));
    mkdirSync(chosen, { recursive: true });
    return chosen;
  } catch (cause) {
    throw new KeylessError(
      "sdk/home-not-writable",
      `There is no folder for the runtime's files: ${chosen ?? tmpdir()}`,
      { hint: "Name one that can be written to: durable: { baseDirectory }, or TMPDIR.", cause },
    );
  }
}

/** How the SDK is to be set up where one runtime serves several users: no tool, skill or instruction that is not asked for. */
function served(baseDirectory: string): CopilotClientOptions {
  return { mode: "empty", baseDirectory };
}

/** What a caller is told of the turn's events, and the last message of the turn. Sub-agents speak to their parent only. */
function toolEvents(onTool: (event: ChatEvent) => void, onMessage: (text: string) => void) {
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
    } else if (event.type === "assistant.message" && event.data.content !== "") {
      onMessage(event.data.content);
    }
  };
}

async function pump(texts: AsyncIterable<string>, events: EventQueue<ChatEvent>): Promise<void> {
  try {
    for await (const text of texts) events.push({ type: "delta", text });
    events.end();
  } catch (error) {
    events.fail(error);
  }
}

/** The same for an id that never was, that is over, and that is somebody else's. */
function notFound(): KeylessError {
  return chatError(
    "chat/session-not-found",
    404,
    "There is no such conversation, or no longer",
    "Begin a new one, without a sessionId.",
  );
}
