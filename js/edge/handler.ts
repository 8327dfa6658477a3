import type { TokenCredential } from "../credentials/credential.js";
import {
  type Checks,
  callback,
  credential as credentialCheck,
  duration,
  either,
  flag,
  list,
  number,
  object,
  readOptions,
  text,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { planDirect } from "../foundry/direct-plan.js";
import type { CallerFunction } from "../http/caller.js";
import {
  type ChatEngine,
  type ChatLimits,
  type ChatLogEntry,
  type ChatTokenStatus,
  DEFAULT_LIMITS,
  DEFAULT_TIMEOUT_MS,
} from "../http/contract.js";
import { fetchHandler } from "../http/fetch-handler.js";
import { callerShare, checkedLimits, checkTimeout, invalid } from "../http/limits.js";
import { chatError, closing, unknownModel } from "../http/problem.js";
import { respond } from "../http/respond.js";
import { Slots } from "../http/slots.js";
import { tokenStatus } from "../http/token-status.js";
import { unlessAborted } from "../http/unless-aborted.js";
import { isTokenRejection } from "../model/model-error.js";
import { modelChecks } from "../model/model-options.js";
import { streamChat } from "../model/stream-chat.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";
import { type Environment, environment } from "../platform/environment.js";
import type { TokenProvider, TokenProviderOptions } from "../tokens/types.js";
import type { ModelOptions } from "../wasm/types/provider.js";

/** Options of {@link createEdgeChatHandler}. */
export interface EdgeChatOptions extends ModelOptions {
  /**
   * Identifies callers. `"anonymous"`: serves every request, so something in front of the handler
   * must authenticate. Otherwise a function that returns the caller's unique id, or `false` for
   * 401. It may be async, and must not read or clone the request. If it throws, the response is a
   * 500 without the error.
   */
  authorize: "anonymous" | CallerFunction<Request>;
  /** The endpoint of the resource or project. Default: from the environment. */
  endpoint?: string | undefined;
  /** The model. Default: from the environment, or else `gpt-5.5`. */
  model?: string | undefined;
  /** Further deployments that callers may choose. Default: none, only `model` is served. */
  models?: readonly string[] | undefined;
  /** The credential. Default: `"direct"`, a direct credential for the environment. */
  credential?: TokenCredential | "direct" | undefined;
  /** The token scope. Default: by the endpoint. */
  scope?: string | undefined;
  maxOutputTokens?: number | undefined;
  /**
   * The deadline of a call, in milliseconds, from the request's arrival to the last byte of its
   * response. Includes the wait for a token and for a slow reader. Then the response is a 504.
   * Default 120,000.
   */
  timeoutMs?: number | undefined;
  /**
   * How long the resource may send no text of a reply, in milliseconds; then the answer is 504,
   * `model/first-byte-timeout`. Default 60,000; 90,000 for a reasoning model.
   */
  firstByteTimeoutMs?: number | undefined;
  /** Options of the token provider. */
  tokens?: TokenProviderOptions | undefined;
  /** Limits for one caller and for all callers together. */
  limits?: Partial<ChatLimits> | undefined;
  /**
   * Receives a log entry at the end of every call, without prompt and reply. Errors that it throws
   * are ignored.
   */
  onLog?: ((entry: ChatLogEntry) => void) | undefined;
  /** Whether callers receive the messages of the app's own errors. Default false. */
  exposeErrors?: boolean | undefined;
  /**
   * The environment variables. Default `process.env`; on a platform without it, pass its bindings.
   */
  env?: Environment | undefined;
}

/** The status of an edge handler. Holds no token, no prompt and no reply. */
export interface EdgeChatStatus {
  state: "open" | "closed";
  /**
   * False if the handler is closed, or if it has no usable token and the last attempt to get one
   * failed.
   */
  healthy: boolean;
  /** Calls in progress. */
  turns: number;
  /** Absent for an endpoint without tokens. Its state is `empty` before the first call. */
  token?: ChatTokenStatus;
}

/** A handler of `fetch` requests, with its token provider, status and `close`. */
export type EdgeChatHandler = ((request: Request) => Promise<Response>) & {
  readonly tokens: TokenProvider | undefined;
  /** Returns the current status, without I/O. */
  status(): EdgeChatStatus;
  /** Discards the token. Later calls are answered 503, `chat/closing`. */
  close(): void;
};

/** Added to the deadline of the request to the model, so that the call's own deadline ends it. */
const MODEL_TIMEOUT_MARGIN_MS = 60_000;

/**
 * Creates a chat handler for platforms without child processes. It has the requests, events and
 * errors of `copilot-keyless/azure-functions`, but takes a `Request` and returns a `Response`.
 * **The model answers without the Copilot runtime**: one question, one answer, no tools and no
 * conversations, so a request with a `sessionId` is refused.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `credential/...`, `policy/invalid`,
 *   `chat/invalid-option`
 * @example
 * ```ts
 * const chat = createEdgeChatHandler({
 *   endpoint: "https://myres.openai.azure.com",
 *   authorize: async (request) => (await userOf(request.headers.get("authorization")))?.id ?? false,
 * });
 * export default { fetch: (request: Request) => chat(request) };
 * ```
 */
export function createEdgeChatHandler(options: EdgeChatOptions): EdgeChatHandler {
  const {
    authorize,
    models = [],
    limits: limitOverrides,
    credential,
    tokens: tokenOptions,
    firstByteTimeoutMs,
    ...others
  } = readOptions(options, edgeChecks(), "chat/invalid-option");
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    onLog,
    exposeErrors = false,
    env = environment(),
    ...request
  } = others;
  const limits = checkedLimits(DEFAULT_LIMITS, limitOverrides);
  const identified = authorize !== "anonymous";
  limits.turnsPerCaller = callerShare(limits.turns, limitOverrides?.turnsPerCaller, identified);
  checkTimeout(timeoutMs);
  if (models.some((model) => typeof model !== "string" || model === ""))
    throw invalid("models must be an array of names");
  const { plan, tokens } = planDirect(request, { credential, tokens: tokenOptions, env });
  const { wireApi, headers, maxOutputTokens, wireModel } = plan.config;
  let closed = false;
  const engine: ChatEngine = async function* ({ prompt, sessionId, model = plan.model }, { signal }) {
    if (sessionId !== undefined) {
      throw chatError(
        "chat/session-not-found",
        404,
        "This handler keeps no conversations",
        "Omit sessionId.",
      );
    }
    if (model !== plan.model && !models.includes(model)) {
      throw unknownModel([plan.model, ...models]);
    }
    const streamReply = (token: string | undefined) =>
      streamChat({
        endpoint: plan.endpoint,
        prompt,
        model,
        ...(model === plan.model && wireModel !== undefined ? { deployment: wireModel } : {}),
        token,
        wireApi,
        headers,
        maxOutputTokens,
        firstByteTimeoutMs,
        timeoutMs: Math.min(timeoutMs + MODEL_TIMEOUT_MARGIN_MS, LONGEST_TIMER_MS),
        signal,
      });
    let reply = "";
    for await (const text of streamWithFreshToken(streamReply, tokens, signal)) {
      reply += text;
      yield { type: "delta", text };
    }
    return { reply, model };
  };
  const slots = new Slots(limits);
  const settings = {
    engine,
    limits,
    slots,
    deadlineMs: timeoutMs,
    isClosed: () => closed,
    expose: exposeErrors,
  };
  const { callerMs } = limits;
  const handle = fetchHandler({ authorize, callerMs, log: onLog }, (call) => respond(call, settings));
  const status = (): EdgeChatStatus => {
    const token = tokens && tokenStatus(tokens);
    return {
      state: closed ? "closed" : "open",
      healthy: !closed && (token?.healthy ?? true),
      turns: slots.taken,
      ...(token ? { token: token.status } : {}),
    };
  };
  const close = (): void => {
    closed = true;
    tokens?.close();
  };
  return Object.assign(handle, { tokens, status, close });
}

function edgeChecks(): Checks<EdgeChatOptions> {
  return {
    ...modelChecks(),
    authorize: { expected: '"anonymous", or a function', fits: () => true },
    endpoint: text,
    models: list,
    credential: either(credentialCheck, { expected: '"direct"', fits: (value) => value === "direct" }),
    scope: text,
    maxOutputTokens: number,
    timeoutMs: number,
    firstByteTimeoutMs: duration,
    tokens: object,
    limits: object,
    onLog: callback,
    exposeErrors: flag,
    env: object,
  };
}

/** The number of tokens that a call tries. Each may be revoked before it is used. */
const MAX_TOKENS = 3;

/**
 * Streams a reply. Retries with a new token if the resource rejects the token, which it does before
 * any text. If several calls are rejected with the same token, one of them invalidates it and all
 * share the next one.
 */
async function* streamWithFreshToken(
  streamReply: (token: string | undefined) => AsyncGenerator<string, void, undefined>,
  tokens: TokenProvider | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  if (!tokens) return yield* streamReply(undefined);
  const getToken = () =>
    unlessAborted(tokens(), signal).catch((error: unknown) => {
      throw error instanceof KeylessError && error.code === "token/closed" ? closing() : error;
    });
  for (let token = await getToken(), attempt = 1; ; attempt += 1) {
    try {
      return yield* streamReply(token);
    } catch (error) {
      if (!isTokenRejection(error) || attempt === MAX_TOKENS) throw error;
      tokens.invalidate(token);
      const newToken = await getToken().catch((failure: unknown) => {
        // The resource's reason says more than that the credential returned the same token.
        const sameToken = failure instanceof KeylessError && failure.code === "token/rejected-again";
        throw sameToken ? error : failure;
      });
      // Too soon after the last forced acquisition for another one.
      if (newToken === token) throw error;
      token = newToken;
    }
  }
}
