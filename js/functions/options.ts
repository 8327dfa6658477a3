import type { HttpRequest } from "@azure/functions";
import type { CopilotClientOptions } from "@github/copilot-sdk";
import {
  type AgentOptions,
  agentChecks,
  type ConversationOptionName,
  checkSession,
} from "../copilot/options.js";
import { type Checks, callback, finite, flag, list, object, readOptions } from "../errors/check.js";
import type { CallerFunction } from "../http/caller.js";
import { type ChatLimits, DEFAULT_LIMITS } from "../http/contract.js";
import { callerShare, checkedLimits, checkTimeout, invalid } from "../http/limits.js";

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
 * Options of {@link createChatHandler}: those of the agent (`preset` is `"chat"` and
 * `sessionsPerRuntime` is 100 here), and those for callers. The model has the tools in
 * `session.tools`, and those of `session.mcpServers`, with either preset.
 */
export interface ChatHandlerOptions extends Omit<AgentOptions, "client" | ConversationOptionName> {
  /**
   * Options for the runtime, which all callers share. By default its files are in a temporary
   * folder, removed with the worker.
   */
  client?: Omit<CopilotClientOptions, "baseDirectory" | "mode"> | undefined;
  /**
   * More models that callers may choose, by the names of their deployments. Default: only the first
   * model is served.
   */
  models?: readonly (string | ChatModel)[] | undefined;
  /** Limits for one caller and for all callers together. */
  limits?: Partial<FunctionsLimits> | undefined;
  /**
   * Identifies the caller: returns an id that nobody else has, or `false` for 401. May be async.
   * Must leave the request's body unread. A conversation belongs to its caller, and limits apply to
   * each caller. Any other result, or an error, is answered 500 before the model is called.
   *
   * Default: the user that App Service authentication has signed in, if it is enabled. Without
   * both, all requests count as one caller: anybody who has the id of a conversation can continue
   * it, and one client can use up the limits of all.
   */
  caller?: CallerFunction<HttpRequest> | undefined;
  /**
   * Lets conversations outlive the worker and continue in other instances: a folder that all
   * instances share, such as a mounted file share, and a secret of 32 characters or more that all
   * of them know. Cleaning up the folder is up to you. While another instance answers a prompt of a
   * conversation, it is busy: 409 `chat/session-busy`. The lock of an instance that was killed
   * expires after a minute.
   */
  durable?: { baseDirectory: string; secret: string } | undefined;
  /**
   * Whether callers see the messages of the app's own errors. Default: only in Core Tools and
   * similar hosts.
   */
  exposeErrors?: boolean | undefined;
}

/** The limits of a chat, and those of a worker. */
export interface FunctionsLimits extends ChatLimits {
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
}

const CONVERSATIONS = 50;

const LIMITS: FunctionsLimits = {
  ...DEFAULT_LIMITS,
  conversations: CONVERSATIONS,
  conversationsPerCaller: CONVERSATIONS,
  idleMs: 900_000,
};

const SECRET_CHARS = 32;

/**
 * Reads the options and checks everything that does not depend on the environment.
 *
 * @throws KeylessError `chat/invalid-option`
 */
export function readHandlerOptions(given: ChatHandlerOptions): ChatHandlerOptions {
  const options = readOptions(given, handlerChecks(), "chat/invalid-option");
  if (options.timeoutMs !== undefined) checkTimeout(options.timeoutMs);
  checkSession(options.session, "chat/invalid-option");
  checkDurable(options.durable);
  return options;
}

function handlerChecks(): Checks<ChatHandlerOptions> {
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
    caller: callback,
    durable: object,
    exposeErrors: flag,
  };
}

/** The limits of a worker. */
export function limitsOf(
  given: Partial<FunctionsLimits> | undefined,
  identifiesCallers: boolean,
): FunctionsLimits {
  const limits = checkedLimits(LIMITS, given);
  const { turns, conversations } = limits;
  return {
    ...limits,
    turnsPerCaller: callerShare(turns, given?.turnsPerCaller, identifiesCallers),
    conversationsPerCaller: callerShare(conversations, given?.conversationsPerCaller, identifiesCallers),
  };
}

/** The models that callers may choose besides the first one. */
export function checkedModels(given: ChatHandlerOptions["models"] = []): ChatModel[] {
  const models = given.map((model) => (typeof model === "string" ? { name: model } : model));
  const names = new Set(models.map((model) => model?.name));
  if (names.size < models.length || names.has("") || [...names].some((name) => typeof name !== "string")) {
    throw invalid("models must have names, each its own");
  }
  return models;
}

function checkDurable(given: ChatHandlerOptions["durable"]): void {
  if (!given) return;
  const { baseDirectory, secret } = given;
  if (typeof baseDirectory !== "string" || baseDirectory === "" || typeof secret !== "string") {
    throw invalid("durable needs { baseDirectory, secret }");
  }
  if (secret.length < SECRET_CHARS)
    throw invalid(`durable.secret must have ${SECRET_CHARS} characters or more`);
}
