import type { TokenCredential } from "../credentials/credential.js";
import { directCredential } from "../credentials/direct.js";
import {
  type Check,
  type Checks,
  callback,
  checkArgument,
  credential as credentialCheck,
  either,
  flag,
  list,
  number,
  object,
  readOptions,
  text,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { type CallerFunction, callerOf } from "../http/caller.js";
import {
  type ChatEngine,
  type ChatLimits,
  type ChatLogEntry,
  type ChatTokenStatus,
  type ChunkSource,
  DEFAULT_LIMITS,
  DEFAULT_TIMEOUT_MS,
} from "../http/contract.js";
import { checkedLimits, checkTimeout, invalid, shareOf } from "../http/limits.js";
import { chatError, closing, unknownModel } from "../http/problem.js";
import { respond } from "../http/respond.js";
import { Slots } from "../http/slots.js";
import { tokenStatus } from "../http/token-status.js";
import { unlessAborted } from "../http/unless-aborted.js";
import { rejectsToken } from "../model/model-error.js";
import { modelChecks } from "../model/model-options.js";
import { streamChat } from "../model/stream-chat.js";
import { LONGEST_TIMER_MS } from "../platform/clock.js";
import { coreEnvironment, type Environment, environment } from "../platform/environment.js";
import { registerResource } from "../tokens/clock-skew.js";
import { createBearerTokenProvider } from "../tokens/provider.js";
import type { TokenProvider, TokenProviderOptions } from "../tokens/types.js";
import { callCore, planModule } from "../wasm/bindings.js";
import type { ModelOptions } from "../wasm/provider.js";

/** Options of {@link createEdgeChatHandler}. */
export interface EdgeChatOptions extends ModelOptions {
  /**
   * Who may ask. `"anonymous"`: everybody who reaches the handler, so something before it must keep strangers out. Else a function that
   * gives the caller's id, a text that nobody else has, or `false` for 401. It may be async, and neither reads nor clones the request.
   * What it throws is answered 500, without the error.
   */
  authorize: "anonymous" | CallerFunction<Request>;
  /** The resource's or project's endpoint. Else from the environment. */
  endpoint?: string | undefined;
  /** The model. Else from the environment; default `gpt-5.5`. */
  model?: string | undefined;
  /** More deployments that callers may choose. Without, only the first one is served. */
  models?: readonly string[] | undefined;
  /** Default: `"direct"`, the direct credential, by the environment. */
  credential?: TokenCredential | "direct" | undefined;
  /** The token scope. Default: by endpoint. */
  scope?: string | undefined;
  maxOutputTokens?: number | undefined;
  /**
   * How long a call may take, in milliseconds: from the request's arrival to the last byte of its answer, the wait for a token and a slow
   * reader included. Then it is answered 504. Default 120,000.
   */
  timeoutMs?: number | undefined;
  /** Options of the token provider. */
  tokens?: TokenProviderOptions | undefined;
  /** What one caller, and all of them, may ask for. */
  limits?: Partial<ChatLimits> | undefined;
  /** Receives an entry for every call when it has ended, without its prompt and its reply. What it throws is ignored. */
  onLog?: ((entry: ChatLogEntry) => void) | undefined;
  /** Whether callers get to read what an error of the app's own says. Default false. */
  exposeErrors?: boolean | undefined;
  /** The environment to read. Default `process.env`; on a platform without one pass its bindings. */
  env?: Environment | undefined;
}

/** How an edge handler stands, without a token and anything that was said. */
export interface EdgeChatStatus {
  state: "open" | "closed";
  /** Whether replies can be expected: false when closed, or when the last attempt to get a token has failed and none is held. */
  healthy: boolean;
  /** Calls that are being answered. */
  turns: number;
  /** Absent for an endpoint that takes no token. `empty` before the first call: whether a token can be had is not known yet. */
  token?: ChatTokenStatus;
}

/** A handler in the manner of `fetch`, and what it holds. */
export type EdgeChatHandler = ((request: Request) => Promise<Response>) & {
  readonly tokens: TokenProvider | undefined;
  /** How the handler stands. Asks nothing of anybody. */
  status(): EdgeChatStatus;
  /** Forgets the token and answers later calls with 503, `chat/closing`. */
  close(): void;
};

/** The request to the model ends with the call, not before. */
const AFTER_MS = 60_000;

/**
 * The chat of `copilot-keyless/azure-functions` for platforms without child processes: the same requests, events and errors, from a
 * `Request` to a `Response`. **No Copilot runtime answers, but the model itself**: one question, one answer, no tools and no
 * conversation to go on with, so a `sessionId` is refused.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `credential/...`, `policy/invalid`, `chat/invalid-option`
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
  const read = readOptions(options, edgeChecks(), "chat/invalid-option");
  const { authorize, models = [], limits: given, credential, tokens: settings, ...others } = read;
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    onLog = () => {},
    exposeErrors = false,
    env = environment(),
    ...request
  } = others;
  if (authorize !== "anonymous" && typeof authorize !== "function") {
    throw invalid('authorize is required: "anonymous", or a function', AUTHORIZE_HINT);
  }
  const limits = checkedLimits(DEFAULT_LIMITS, given);
  limits.turnsPerCaller = shareOf(limits.turns, given?.turnsPerCaller, authorize !== "anonymous");
  checkTimeout(timeoutMs);
  if (models.some((model) => typeof model !== "string" || model === ""))
    throw invalid("models must be a list of names");
  const own = typeof credential === "object" ? credential : undefined;
  const plan = callCore(() =>
    planModule().planProvider({ ...request, ownCredential: own !== undefined, env: coreEnvironment(env) }),
  );
  const giver = own ?? directCredential(env, plan.credential.authorityHost);
  const tokens =
    plan.scope === undefined ? undefined : createBearerTokenProvider(giver, plan.scope, settings);
  if (tokens) registerResource(giver, plan.endpoint.baseUrl);
  const { wireApi, headers, maxOutputTokens, wireModel } = plan.config;
  let closed = false;
  const engine: ChatEngine = async function* ({ prompt, sessionId, model = plan.model }, { signal }) {
    if (sessionId !== undefined) {
      throw chatError(
        "chat/session-not-found",
        404,
        "Conversations are not kept here",
        "Ask without a sessionId.",
      );
    }
    if (model !== plan.model && !models.includes(model)) {
      throw unknownModel([plan.model, ...models]);
    }
    const ask = (token: string | undefined) =>
      streamChat({
        endpoint: plan.endpoint,
        prompt,
        model,
        ...(model === plan.model && wireModel !== undefined ? { deployment: wireModel } : {}),
        token,
        wireApi,
        headers,
        maxOutputTokens,
        timeoutMs: Math.min(timeoutMs + AFTER_MS, LONGEST_TIMER_MS),
        signal,
      });
    let reply = "";
    for await (const text of recovering(ask, tokens, signal)) {
      reply += text;
      yield { type: "delta", text };
    }
    return { reply, model };
  };
  const slots = new Slots(limits);
  const handle = async (asked: Request): Promise<Response> => {
    checkArgument(
      "request",
      asked,
      REQUEST,
      "chat/invalid-option",
      "Pass the handler the request as it came.",
    );
    const { status, headers, body } = await respond(
      {
        method: asked.method,
        headers: asked.headers,
        body: asked.body as ChunkSource | null,
        bodyUsed: asked.bodyUsed,
        caller: () =>
          authorize === "anonymous" ? "" : callerOf("authorize", authorize, asked, limits.callerMs),
        correlationId: crypto.randomUUID(),
        // Not every platform's requests have one.
        signal: asked.signal ?? new AbortController().signal,
        log: onLog,
      },
      { engine, limits, slots, deadlineMs: timeoutMs, isClosed: () => closed, expose: exposeErrors },
    );
    return new Response(body as ConstructorParameters<typeof Response>[0], { status, headers });
  };
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
    tokens: object,
    limits: object,
    onLog: callback,
    exposeErrors: flag,
    env: object,
  };
}

const REQUEST: Check = {
  expected: "a Request",
  fits: (value) => {
    const { method, headers } = value as Request;
    return typeof method === "string" && typeof headers.get === "function";
  },
};

const AUTHORIZE_HINT =
  'authorize: (request) => the caller\'s id, or false; or authorize: "anonymous" if something before the handler keeps strangers out.';

/** How many tokens a call tries at most: each may be revoked before it is used. */
const TOKENS_TRIED = 3;

/**
 * A reply; again with another token if the resource rejected the one before, which is so before any text has come. Of several calls that
 * meet the same rejection one forgets the token; all of them get the next one.
 */
async function* recovering(
  ask: (token: string | undefined) => AsyncGenerator<string, void, undefined>,
  tokens: TokenProvider | undefined,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  if (!tokens) return yield* ask(undefined);
  const next = () =>
    unlessAborted(tokens(), signal).catch((error: unknown) => {
      throw error instanceof KeylessError && error.code === "token/closed" ? closing() : error;
    });
  for (let token = await next(), tried = 1; ; tried += 1) {
    try {
      return yield* ask(token);
    } catch (error) {
      if (!rejectsToken(error) || tried === TOKENS_TRIED) throw error;
      tokens.invalidate(token);
      const other = await next().catch((failure: unknown) => {
        // That the same token came again tells less than why the resource rejected it.
        const again = failure instanceof KeylessError && failure.code === "token/rejected-again";
        throw again ? error : failure;
      });
      // It was replaced too short a time ago to be replaced again.
      if (other === token) throw error;
      token = other;
    }
  }
}
