import type { HttpRequest } from "@azure/functions";
import type { CopilotClientOptions } from "@github/copilot-sdk";
import type { AgentOptions } from "../copilot/options.js";
import { agentChecks } from "../copilot/options.js";
import { type Checks, callback, finite, flag, list, object, readOptions } from "../errors/check.js";
import type { CallerFunction } from "../http/caller.js";
import { type ChatLimits, DEFAULT_LIMITS } from "../http/contract.js";
import { callerShare, checkedLimits, checkTimeout, invalid } from "../http/limits.js";

/** A model that callers may choose, of the same resource. */
export interface ChatModel {
  /** What callers send as `model`. */
  name: string;
  /** The well-known model name. Default: `name`. */
  model?: string | undefined;
  /** The deployment's name where it differs from the model's. */
  deployment?: string | undefined;
}

/** Options of {@link createChatHandler}: those of the agent (`sessionsPerRuntime` is 100 here), and what holds for callers. */
export interface ChatHandlerOptions
  extends Omit<AgentOptions, "client" | "sessions" | "resume" | "keepHistory"> {
  /** Options for the runtime, one for all. By default its files are in a temporary folder that ends with the worker. */
  client?: Omit<CopilotClientOptions, "baseDirectory" | "mode"> | undefined;
  /** More models that callers may choose, by the names of their deployments. Without, only the first one is served. */
  models?: readonly (string | ChatModel)[] | undefined;
  /** What one caller, and all of them, may ask for. */
  limits?: Partial<FunctionsLimits> | undefined;
  /**
   * Who asks: gives a text that nobody else has, or `false` for 401. It may be async, and leaves the request's body unread. A conversation
   * is its caller's alone, and limits hold for each caller. Anything else that it gives, or throws, is answered 500 before the model is asked.
   *
   * Default: the user whom App Service authentication has signed in, where it is switched on. Without both, all requests are one
   * caller: whoever has the id of a conversation goes on with it, and one client can use up what all may ask for.
   */
  caller?: CallerFunction<HttpRequest> | undefined;
  /**
   * Lets conversations outlive the worker, and go on in other instances: a folder that all share, such as a mounted file share, and a
   * secret of 32 characters or more that all know. The folder is yours to clean up. A conversation that answers a prompt in another
   * instance is busy here, too: 409 `chat/session-busy`. A lock that an instance has left when it was killed counts for a minute.
   */
  durable?: { baseDirectory: string; secret: string } | undefined;
  /** Whether callers get to read what an error of the app's own says. Default: only in Core Tools and the like. */
  exposeErrors?: boolean | undefined;
}

/** The limits of a chat, and those of a worker. */
export interface FunctionsLimits extends ChatLimits {
  /**
   * How many conversations are kept that can be gone on with. Of more, the caller who has most loses the one that was idle longest.
   * Default 50.
   */
  conversations: number;
  /** How many of these one caller may have. Default: half of `conversations`; all where callers are not told apart. */
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
 * The options, with what can be checked before the environment is read.
 *
 * @throws KeylessError `chat/invalid-option`
 */
export function readHandlerOptions(given: ChatHandlerOptions): ChatHandlerOptions {
  const options = readOptions(given, handlerChecks(), "chat/invalid-option");
  if (options.timeoutMs !== undefined) checkTimeout(options.timeoutMs);
  checkDurable(options.durable);
  return options;
}

function handlerChecks(): Checks<ChatHandlerOptions> {
  const {
    client: _client,
    sessions: _sessions,
    resume: _resume,
    keepHistory: _keep,
    ...shared
  } = agentChecks();
  return {
    ...shared,
    maxPromptTokens: finite,
    maxOutputTokens: finite,
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
export function limitsOf(given: Partial<FunctionsLimits> | undefined, apart: boolean): FunctionsLimits {
  const limits = checkedLimits(LIMITS, given);
  const { turns, conversations } = limits;
  return {
    ...limits,
    turnsPerCaller: callerShare(turns, given?.turnsPerCaller, apart),
    conversationsPerCaller: callerShare(conversations, given?.conversationsPerCaller, apart),
  };
}

/** The models that callers may choose besides the first. */
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
