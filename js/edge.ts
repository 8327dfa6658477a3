import { decide, planner } from "./bindings.js";
import {
  type ChatEngine,
  type ChatLimits,
  type ChatLogEntry,
  type ChunkSource,
  DEFAULT_LIMITS,
} from "./chat/contract.js";
import { checkedLimits, invalid } from "./chat/limits.js";
import { chatError, unknownModel } from "./chat/problem.js";
import { respond } from "./chat/respond.js";
import { Slots } from "./chat/slots.js";
import { directCredential } from "./direct-credential.js";
import { type Environment, environment, relevant } from "./environment.js";
import { rejectsToken } from "./model-error.js";
import type { ModelOptions } from "./plan.js";
import { noteResource } from "./second-look.js";
import { streamChat } from "./stream-chat.js";
import { createBearerTokenProvider } from "./token-provider.js";
import type { TokenCredential, TokenProvider, TokenProviderOptions } from "./types.js";

export type { ChatLimits, ChatLogEntry } from "./chat/contract.js";
export { KeylessError } from "./errors.js";

/** Options of {@link createEdgeChatHandler}. */
export interface EdgeChatOptions extends ModelOptions {
  /** The resource's or project's endpoint. Else from the environment. */
  endpoint?: string | undefined;
  /** The model. Else from the environment; default `gpt-5.5`. */
  model?: string | undefined;
  /** More deployments that callers may choose. Without, only the first one is served. */
  models?: readonly string[] | undefined;
  /** Default: the direct credential, by the environment. */
  credential?: TokenCredential | undefined;
  /** The token scope. Default: by endpoint. */
  scope?: string | undefined;
  maxOutputTokens?: number | undefined;
  /** How long a reply may take, in milliseconds. Default 120,000. */
  timeoutMs?: number | undefined;
  /** Options of the token provider. */
  tokens?: TokenProviderOptions | undefined;
  /** What all callers together may ask for. */
  limits?: Partial<ChatLimits> | undefined;
  /** Told of every call when it has ended, without its prompt and its reply. */
  onLog?: ((entry: ChatLogEntry) => void) | undefined;
  /** Whether callers get to read what an error of the app's own says. Default false. */
  exposeErrors?: boolean | undefined;
  /** The environment to read. Default `process.env`; on a platform without one pass its bindings. */
  env?: Environment | undefined;
}

/** A handler in the manner of `fetch`, and what it holds. */
export type EdgeChatHandler = ((request: Request) => Promise<Response>) & {
  readonly tokens: TokenProvider | undefined;
  /** Forgets the token and refuses later calls. */
  close(): void;
};

/**
 * The chat of `copilot-keyless/azure-functions` for platforms without child processes: the same requests, events and errors, from a
 * `Request` to a `Response`. **No Copilot runtime answers, but the model itself**: one question, one answer, no tools and no
 * conversation to go on with, so a `sessionId` is refused.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `credential/configuration`, `chat/invalid-option`
 * @example
 * ```ts
 * const chat = createEdgeChatHandler({ endpoint: "https://myres.openai.azure.com" });
 * export default { fetch: (request: Request) => chat(request) };
 * ```
 */
export function createEdgeChatHandler(options: EdgeChatOptions = {}): EdgeChatHandler {
  const { models = [], limits: given, credential, tokens: settings, env = environment(), ...rest } = options;
  const { timeoutMs, onLog = () => {}, exposeErrors = false, ...request } = rest;
  const limits = checkedLimits(DEFAULT_LIMITS, given);
  if (models.some((model) => typeof model !== "string" || model === ""))
    throw invalid("models must be names");
  const plan = decide(() =>
    planner().planProvider({ ...request, ownCredential: credential !== undefined, env: relevant(env) }),
  );
  const giver = credential ?? directCredential(env, plan.credential.authorityHost);
  const tokens =
    plan.scope === undefined ? undefined : createBearerTokenProvider(giver, plan.scope, settings);
  if (tokens) noteResource(giver, plan.endpoint.baseUrl);
  const { wireApi, headers, maxOutputTokens, wireModel } = plan.config;
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
        timeoutMs,
        signal,
      });
    let reply = "";
    for await (const text of recovering(ask, tokens)) {
      reply += text;
      yield { type: "delta", text };
    }
    return { reply, model };
  };
  const slots = new Slots(limits.turns);
  const handle = async (asked: Request): Promise<Response> => {
    const { status, headers, body } = await respond(
      {
        method: asked.method,
        headers: asked.headers,
        body: asked.body as ChunkSource | null,
        caller: () => "",
        correlationId: crypto.randomUUID(),
        signal: asked.signal,
        log: onLog,
      },
      { engine, limits, slots, expose: exposeErrors },
    );
    return new Response(body as ConstructorParameters<typeof Response>[0], { status, headers });
  };
  return Object.assign(handle, { tokens, close: () => tokens?.close() });
}

/** A reply; once again with a new token if the resource rejected the first. That is so before any text has come. */
async function* recovering(
  ask: (token: string | undefined) => AsyncGenerator<string, void, undefined>,
  tokens: TokenProvider | undefined,
): AsyncGenerator<string, void, undefined> {
  const token = await tokens?.();
  try {
    yield* ask(token);
  } catch (error) {
    if (!rejectsToken(error) || !tokens?.invalidate(token)) throw error;
    yield* ask(await tokens());
  }
}
