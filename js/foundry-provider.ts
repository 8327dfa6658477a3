import type { CopilotSession, ProviderConfig } from "@github/copilot-sdk";
import { core, decide } from "./bindings.js";
import { defaultCredential } from "./default-credential.js";
import { KeylessError } from "./errors.js";
import type { ProviderPlan } from "./plan.js";
import { createBearerTokenProvider } from "./token-provider.js";
import { cleanText } from "./token-text.js";
import type { Endpoint, Notice, TokenCredential, TokenProvider, TokenProviderOptions } from "./types.js";

/** Options of {@link createFoundryProvider}; all may be left out when the environment says enough. */
export interface FoundryProviderOptions {
  /** The resource's or project's endpoint, in any form found in the portal. Else from the environment. */
  endpoint?: string | undefined;
  /** The well-known model name, such as `gpt-5.5`. Else from the environment; default `gpt-5.5`. */
  model?: string | undefined;
  /** The deployment's name where it differs from the model's. */
  deployment?: string | undefined;
  /** Default: `DefaultAzureCredential` of `@azure/identity`. */
  credential?: TokenCredential | undefined;
  /** The token scope. Default: by endpoint. */
  scope?: string | undefined;
  /** The provider type. Default: by endpoint. */
  type?: "openai" | "azure" | "anthropic" | undefined;
  /** The API format. Default `responses`. */
  wireApi?: "responses" | "completions" | undefined;
  /** A dated API version, for type `azure`. Default: the versionless v1 route. */
  apiVersion?: string | undefined;
  /** Headers for every model request. */
  headers?: Record<string, string> | undefined;
  maxPromptTokens?: number | undefined;
  maxOutputTokens?: number | undefined;
  /** The environment to read. Default `process.env`. */
  env?: Record<string, string | undefined> | undefined;
  /** A token provider of your own, or options for the one that is made. */
  tokens?: TokenProvider | TokenProviderOptions | undefined;
}

/** Everything for one Foundry endpoint. */
export interface FoundryProvider {
  /** Pass it as `createSession({ provider })`. */
  readonly config: ProviderConfig;
  readonly model: string;
  readonly endpoint: Endpoint;
  readonly tokens: TokenProvider;
  /** The scope of the tokens; absent where none is known. */
  readonly scope?: string;
  /** Where each setting came from: `option`, the name of a variable, or `default`. */
  readonly sources: { endpoint: string; model: string; scope: string };
  readonly warnings: Notice[];
  /** A session's config with model and provider filled in. */
  sessionConfig<T extends object>(extra?: T): T & { model: string; provider: ProviderConfig };
  /** The config with a token in it instead of the callback, for what cannot call back. The token is not refreshed. */
  staticConfig(): Promise<ProviderConfig>;
  /** Forgets the token when the resource rejects it, so that the runtime's own retry gets a new one. Returns the way to stop. */
  watch(session: CopilotSession): () => void;
  /** Gives a live session that was made with a static config a new token. */
  rotate(session: CopilotSession): Promise<void>;
  /** Closes the token provider, unless it was passed in. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * A Copilot SDK provider for Microsoft Foundry or Azure OpenAI without an API key. Synchronous and without I/O:
 * `@azure/identity` is imported when the first token is needed.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `policy/invalid`
 * @example
 * ```ts
 * const foundry = createFoundryProvider({ endpoint: "https://myres.openai.azure.com", model: "gpt-5.5" });
 * const session = await client.createSession(foundry.sessionConfig({ streaming: true }));
 * ```
 */
export function createFoundryProvider(options: FoundryProviderOptions = {}): FoundryProvider {
  const plan = planProvider(options);
  const { endpoint, model, warnings } = plan;
  const own = typeof options.tokens !== "function";
  const tokens = typeof options.tokens === "function" ? options.tokens : createTokens(plan, options);
  const config: ProviderConfig = { ...plan.config };
  // What a token function of somebody else gives has not been looked at yet.
  const take = own ? tokens : async (args?: unknown) => cleanText(await tokens(args));
  // The last token that each watched session was given: what a 401 in that session rejects.
  const given = new Map<string, { token: string; watchers: number }>();
  if (sendsTokens(plan, options)) {
    config.bearerTokenProvider = async (args) => {
      const token = await take(args);
      const watched = given.get(args?.sessionId);
      if (watched) watched.token = token;
      return token;
    };
  }

  const staticConfig = async (): Promise<ProviderConfig> => {
    const { bearerTokenProvider, ...rest } = config;
    return bearerTokenProvider ? { ...rest, bearerToken: await take() } : rest;
  };
  const close = (): void => {
    if (own) tokens.close();
  };
  return {
    config,
    model,
    endpoint,
    tokens,
    ...(plan.scope === undefined ? {} : { scope: plan.scope }),
    sources: plan.sources,
    warnings,
    sessionConfig: <T extends object>(extra?: T) => ({ ...(extra as T), model, provider: config }),
    staticConfig,
    watch: (session) => {
      const { sessionId } = session;
      const watched = given.get(sessionId) ?? { token: "", watchers: 0 };
      given.set(sessionId, watched);
      watched.watchers += 1;
      const unsubscribe = session.on("model.call_failure", (event) => {
        const { statusCode = 0, errorMessage = "" } = event.data;
        if (watched.token && core().rejectsToken(statusCode, errorMessage)) tokens.invalidate(watched.token);
      });
      let watching = true;
      return () => {
        if (!watching) return;
        watching = false;
        unsubscribe();
        watched.watchers -= 1;
        if (watched.watchers === 0) given.delete(sessionId);
      };
    },
    rotate: async (session) => {
      await session.rpc.options.update({ provider: await staticConfig() });
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** The provider that the options and the environment ask for, before any credential. */
function planProvider(options: FoundryProviderOptions): ProviderPlan {
  const { credential: _credential, tokens: _tokens, env, ...request } = options;
  return decide((core) => core.planProvider({ ...request, env: relevant(env ?? environment()) }));
}

function environment(): Record<string, string | undefined> {
  return typeof process === "object" ? process.env : {};
}

/** The variables that the core may want to see: no others leave the environment. */
function relevant(env: Record<string, string | undefined>): Record<string, string> {
  const wanted = Object.entries(env).filter(([name]) => /^(FOUNDRY|AZURE_AI|AZURE_OPENAI)_/.test(name));
  return Object.fromEntries(wanted.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A host that names no scope, such as this machine, gets no token unless one is asked for. */
function sendsTokens(plan: ProviderPlan, options: FoundryProviderOptions): boolean {
  return plan.scope !== undefined || typeof options.tokens === "function";
}

function createTokens(plan: ProviderPlan, options: FoundryProviderOptions): TokenProvider {
  const settings = options.tokens as TokenProviderOptions | undefined;
  if (plan.scope !== undefined) {
    const credential = options.credential ?? defaultCredential(foreignAuthority(plan.endpoint));
    return createBearerTokenProvider(credential, plan.scope, settings);
  }
  const missing = () =>
    new KeylessError("provider/scope", `No token scope is known for ${plan.endpoint.url}`, {
      hint: "Set FOUNDRY_TOKEN_SCOPE or the scope option, such as https://ai.azure.com/.default.",
    });
  if (options.credential) throw missing();
  const refuses: TokenCredential = { getToken: () => Promise.reject(missing()) };
  return createBearerTokenProvider(refuses, "none", settings);
}

/** The authority of a sovereign cloud; the public one is what `@azure/identity` takes by itself. */
function foreignAuthority(endpoint: Endpoint): string | undefined {
  return endpoint.cloud === "usgov" || endpoint.cloud === "china" ? endpoint.authorityHost : undefined;
}
