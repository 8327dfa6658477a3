import type { CopilotClientOptions } from "@github/copilot-sdk";
import type { ConversationStore } from "../copilot/conversation-store.js";
import {
  type AgentOptions,
  agentChecks,
  type ConversationOptionName,
  checkSession,
} from "../copilot/options.js";
import { type Check, type Checks, finite, flag, list, object, readOptions } from "../errors/check.js";
import { type ChatLimits, DEFAULT_LIMITS } from "../http/contract.js";
import { callerShare, checkedLimits, checkTimeout, invalid } from "../http/limits.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";

/** A model of the same resource that callers may choose. */
export interface ChatModel {
  /** The name that callers send as `model`. */
  name: string;
  /** The well-known model name. Default: `name`. */
  model?: string | undefined;
  /** The deployment's name, if it differs from the model's. */
  deployment?: string | undefined;
}

/**
 * Options of every chat handler with the Copilot runtime: those of the agent (`preset` is `"chat"`
 * and `sessionsPerRuntime` is 100 here), and those for callers. The model has the tools in
 * `session.tools`, and those of `session.mcpServers`, with either preset.
 */
export interface ServiceOptions extends Omit<AgentOptions, "client" | ConversationOptionName> {
  /**
   * Options for the runtime, which all callers share. By default its files are in a temporary
   * folder, removed when the handler closes.
   */
  client?: Omit<CopilotClientOptions, "baseDirectory" | "mode"> | undefined;
  /**
   * More models that callers may choose, by the names of their deployments. Default: only the first
   * model is served.
   */
  models?: readonly (string | ChatModel)[] | undefined;
  /** Limits for one caller and for all callers together. */
  limits?: Partial<ServiceLimits> | undefined;
  /**
   * Lets conversations outlive the process and continue in other instances: a folder that all
   * instances share, such as a mounted file share, and a secret of 32 characters or more that all
   * of them know. Cleaning up the folder is up to you. While another instance answers a prompt of a
   * conversation, it is busy: 409 `chat/session-busy`. The lock of an instance that was killed
   * expires after a minute.
   */
  durable?: { baseDirectory: string; secret: string } | undefined;
  /**
   * Keeps conversations in a store, so that their next turn may run in any instance and after a
   * restart: `blobConversations` of `copilot-keyless/blob-sessions`. While another instance answers
   * a prompt of a conversation, it is busy: 409 `chat/session-busy`, with the time to wait. Not with
   * `durable`. The handler closes the store with itself.
   */
  conversations?: ConversationStore | undefined;
  /**
   * How long a streamed reply goes on when its connection is lost, in milliseconds, so that the
   * caller can resume it by the id of the last event. Default 0: the turn ends with the connection.
   * Only the caller who started the reply can resume it, and only in this process.
   */
  resumeMs?: number | undefined;
  /**
   * Starts the runtime and acquires the first token as soon as the handler is created, so that the
   * first request waits for neither. Costs a process of some 100 MB though nobody asks. A failure is
   * left to the first request. In Azure Functions, the host waits for it before it serves a new
   * worker's first request, for 5 s at most. Default false: they start with the first request.
   */
  warmUp?: boolean | undefined;
  /** Whether callers see the messages of the app's own errors. */
  exposeErrors?: boolean | undefined;
}

/** The limits of a chat, and those of its conversations and its resumable replies. */
export interface ServiceLimits extends ChatLimits {
  /**
   * How many conversations are kept to be continued. Above that, the caller with the most
   * conversations loses the one that was idle longest. Default 50.
   */
  conversations: number;
  /**
   * How many of them one caller may have. Default: half of `conversations`; all of them if callers
   * are not identified.
   */
  conversationsPerCaller: number;
  /** How long a conversation is kept after its last turn, in milliseconds. Default 900,000. */
  idleMs: number;
  /**
   * How many of its last events a resumable reply keeps. A caller who has missed more is answered
   * 410 `chat/events-dropped`. Default 4,096.
   */
  resumeEvents: number;
  /** How many bytes these events may have. Default 262,144. */
  resumeBytes: number;
}

const CODE = "chat/invalid-option";
const CONVERSATIONS = 50;

const LIMITS: ServiceLimits = {
  ...DEFAULT_LIMITS,
  conversations: CONVERSATIONS,
  conversationsPerCaller: CONVERSATIONS,
  idleMs: 900_000,
  resumeEvents: 4_096,
  resumeBytes: 262_144,
};

const SECRET_CHARS = 32;

/**
 * Reads the options and checks everything that does not depend on the environment. `more` has the
 * options that only one handler has.
 *
 * @throws KeylessError `chat/invalid-option`
 */
export function readServiceOptions<T extends ServiceOptions>(
  given: T,
  more: Checks<Omit<T, keyof ServiceOptions>>,
): T {
  const checks = { ...serviceChecks(), ...more } as Checks<T>;
  const options = readOptions(given, checks, CODE);
  const { timeoutMs, resumeMs } = options;
  if (timeoutMs !== undefined) checkTimeout(timeoutMs);
  if (resumeMs !== undefined && !(resumeMs >= 0 && resumeMs <= LONGEST_TIMER_MS))
    throw invalid("resumeMs must be a number of milliseconds, 0 or more, below 2^31");
  checkSession(options.session, CODE);
  checkDurable(options.durable);
  if (options.conversations) checkStored(options);
  return options;
}

function serviceChecks(): Checks<ServiceOptions> {
  const {
    client: _client,
    stateless: _stateless,
    deleteHistory: _deleteHistory,
    resume: _resume,
    idleMs: _idleMs,
    maxConversations: _maxConversations,
    sessions: _sessions,
    keepHistory: _keepHistory,
    ...shared
  } = agentChecks();
  return {
    ...shared,
    maxPromptTokens: finite,
    maxOutputTokens: finite,
    maxContextWindowTokens: finite,
    sessionsPerRuntime: finite,
    turnsPerRuntime: finite,
    client: object,
    models: list,
    limits: object,
    durable: object,
    conversations: STORE,
    resumeMs: finite,
    warmUp: flag,
    exposeErrors: flag,
  };
}

/** The limits of a handler. */
export function limitsOf(
  given: Partial<ServiceLimits> | undefined,
  identifiesCallers: boolean,
): ServiceLimits {
  const limits = checkedLimits(LIMITS, given);
  const { turns, conversations } = limits;
  return {
    ...limits,
    turnsPerCaller: callerShare(turns, given?.turnsPerCaller, identifiesCallers),
    conversationsPerCaller: callerShare(conversations, given?.conversationsPerCaller, identifiesCallers),
  };
}

/** The models that callers may choose besides the first one. */
export function checkedModels(given: ServiceOptions["models"] = []): ChatModel[] {
  const models = given.map((model) => (typeof model === "string" ? { name: model } : model));
  const names = new Set(models.map((model) => model?.name));
  if (names.size < models.length || names.has("") || [...names].some((name) => typeof name !== "string")) {
    throw invalid("models must have names, each its own");
  }
  return models;
}

const STORE: Check = {
  expected: "a store of conversations, as of blobConversations",
  fits: (value) => typeof (value as Partial<ConversationStore>).resume === "function",
};

/** Refuses what does not go with a store. */
function checkStored({ durable, client, session }: ServiceOptions): void {
  if (durable) throw invalid("conversations and durable exclude each other");
  if (client?.sessionFs || session?.createSessionFsProvider)
    throw invalid("conversations sets client.sessionFs and session.createSessionFsProvider");
}

function checkDurable(given: ServiceOptions["durable"]): void {
  if (!given) return;
  const { baseDirectory, secret } = given;
  if (typeof baseDirectory !== "string" || baseDirectory === "" || typeof secret !== "string") {
    throw invalid("durable needs { baseDirectory, secret }");
  }
  if (secret.length < SECRET_CHARS)
    throw invalid(`durable.secret must have ${SECRET_CHARS} characters or more`);
}
