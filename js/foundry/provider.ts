import type { CopilotSession, ProviderConfig } from "@github/copilot-sdk";
import type { TokenCredential } from "../credentials/credential.js";
import { defaultCredential } from "../credentials/default.js";
import { directCredential } from "../credentials/direct.js";
import { credentialFailure } from "../credentials/failure.js";
import {
  callback,
  checkArgument,
  checkOptional,
  object,
  quiet,
  readOptions,
  session as sessionCheck,
  text,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { hideSecretsOf } from "../errors/redact.js";
import { coreEnvironment, environment } from "../platform/environment.js";
import { registerResource } from "../tokens/clock-skew.js";
import { createBearerTokenProvider } from "../tokens/provider.js";
import { cleanText } from "../tokens/text.js";
import type { TokenProvider, TokenProviderOptions } from "../tokens/types.js";
import { callCore, planModule } from "../wasm/bindings.js";
import type { CredentialPlan, Endpoint, Notice, ProviderPlan } from "../wasm/provider.js";
import { type FoundryProviderOptions, foundryChecks } from "./options.js";
import { runtimeError } from "./runtime-error.js";
import { type ModelCallFailure, SessionWatch } from "./session-watch.js";

/** Everything for one Foundry endpoint. */
export interface FoundryProvider {
  /** Pass it as `createSession({ provider })`. */
  readonly config: ProviderConfig;
  readonly model: string;
  readonly endpoint: Endpoint;
  readonly tokens: TokenProvider;
  /** The scope of the tokens; absent where none is known. */
  readonly scope?: string;
  /** Which credential gives the tokens, what decided that, and what looks wrong about it. */
  readonly credential: CredentialPlan;
  /** Where each setting came from: `option`, the name of a variable, or `default`. */
  readonly sources: { endpoint: string; model: string; scope: string };
  readonly warnings: Notice[];
  /** A session's config with model and provider filled in. */
  sessionConfig<T extends object>(extra?: T): T & { model: string; provider: ProviderConfig };
  /**
   * The config for `client.resumeSession(id, foundry.resumeConfig(...))`, also of a session that was made with a static config: the
   * runtime keeps no provider with a session, and without one it asks for a GitHub account.
   */
  resumeConfig<T extends object>(extra?: T): T & { model: string; provider: ProviderConfig };
  /**
   * The config with a token in it instead of the callback, for what cannot call back. The token is not refreshed: see
   * {@link FoundryProvider.rotate}.
   */
  staticConfig(): Promise<ProviderConfig>;
  /**
   * Looks after a session. When the resource rejects its token, that is forgotten, so that the runtime's own retry gets a new
   * one and the turn succeeds. And what `session.sendAndWait` rejects with is the diagnosed {@link KeylessError}, `model/...`,
   * with the runtime's error as its cause. `onFailure` is told of every request of the session that failed, retried ones too.
   * Returns the way to stop, which the session's end does by itself.
   */
  watch(
    session: CopilotSession,
    onFailure?: (error: KeylessError, event: ModelCallFailure) => void,
  ): () => void;
  /**
   * What a failed request of a session means: code, status, Azure's own words and what mends it, instead of the runtime's
   * advice about API keys. Takes a `model.call_failure` event's data. With the session's id, the token that was sent is looked
   * at too, if the session is watched.
   */
  explain(failure: ModelCallFailure["data"], sessionId?: string): KeylessError;
  /**
   * Gives a live session that was made with a static config a token of now; its history stays. A turn that is running keeps the
   * old one to its end. A session with the callback has no need of it, and is left alone.
   *
   * @throws KeylessError `token/...`, `credential/...`, and `sdk/rotate-failed` when the session is gone
   */
  rotate(session: CopilotSession): Promise<void>;
  /** Closes the token provider, unless it was passed in. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * A Copilot SDK provider for Microsoft Foundry or Azure OpenAI without an API key. Synchronous and without I/O:
 * `@azure/identity` is imported when the first token is needed.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `policy/invalid`, `credential/configuration`
 * @example
 * ```ts
 * const foundry = createFoundryProvider({ endpoint: "https://myres.openai.azure.com", model: "gpt-5.5" });
 * const session = await client.createSession(foundry.sessionConfig({ streaming: true }));
 * ```
 */
export function createFoundryProvider(given: FoundryProviderOptions = {}): FoundryProvider {
  const options = readOptions(given, foundryChecks(), "provider/conflict");
  const plan = planProvider(options);
  const { endpoint, model, warnings } = plan;
  const own = typeof options.tokens !== "function";
  const tokens = typeof options.tokens === "function" ? options.tokens : createTokens(plan, options);
  const config: ProviderConfig = { ...plan.config };
  // What a token function of somebody else gives or throws has not been looked at yet.
  const take = own ? tokens : (args?: unknown) => looked(tokens, args);
  const watched = new SessionWatch(tokens, {
    endpoint,
    deployment: plan.config.wireModel ?? model,
    wireApi: plan.config.wireApi,
  });
  if (sendsTokens(plan, options)) {
    config.bearerTokenProvider = (args) => watched.noting(args?.sessionId, () => take(args));
  }

  const withProvider = <T extends object>(extra?: T) => {
    checkOptional("extra", extra, object, "provider/conflict");
    return { ...(extra as T), model, provider: config };
  };
  const staticConfig = async (): Promise<ProviderConfig> => {
    const { bearerTokenProvider, ...rest } = config;
    if (!bearerTokenProvider) return rest;
    const bearerToken = await take();
    watched.gave(bearerToken);
    return { ...rest, bearerToken };
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
    credential: plan.credential,
    sources: plan.sources,
    warnings,
    sessionConfig: withProvider,
    resumeConfig: withProvider,
    staticConfig,
    watch: (session, onFailure) => {
      checkArgument("session", session, sessionCheck, "provider/conflict");
      checkOptional("onFailure", onFailure, callback, "provider/conflict");
      return watched.watch(session, quiet(onFailure));
    },
    explain: (failure, sessionId) => {
      checkArgument("failure", failure, object, "diagnosis/invalid");
      checkOptional("sessionId", sessionId, text, "diagnosis/invalid");
      return watched.explain(failure, sessionId);
    },
    rotate: async (session) => {
      checkArgument("session", session, sessionCheck, "provider/conflict");
      if (hasCallback(session)) return;
      const provider = await staticConfig();
      try {
        await session.rpc.options.update({ provider });
      } catch (cause) {
        throw runtimeError(cause, "rotate");
      }
      watched.gave(provider.bearerToken, session.sessionId);
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** Whether a session asks for its tokens. An update would take its callback away for good; only the SDK's own record tells. */
function hasCallback(session: CopilotSession): boolean {
  const { bearerTokenProviders } = session as unknown as { bearerTokenProviders?: unknown };
  return bearerTokenProviders instanceof Map && bearerTokenProviders.size > 0;
}

/** The token of somebody else's function. The runtime writes the text of an error to disk, so that must hold no secret. */
async function looked(tokens: TokenProvider, args: unknown): Promise<string> {
  try {
    return cleanText(await tokens(args));
  } catch (error) {
    throw credentialFailure(error, planModule(), Date.now()).error;
  }
}

/** The provider that the options and the environment ask for, before any credential. */
function planProvider(options: FoundryProviderOptions): ProviderPlan {
  return callCore(() => planModule().planProvider(planRequest(options)));
}

/** The options that the core decides on, and what it may see of the environment. */
export function planRequest<T extends FoundryProviderOptions>(
  options: T,
): Omit<T, "credential" | "tokens" | "env"> & { ownCredential: boolean; env: Record<string, string> } {
  const { credential, tokens, env, ...request } = options;
  const ownCredential = (Boolean(credential) && credential !== "direct") || typeof tokens === "function";
  const given = env ?? environment();
  hideSecretsOf(given);
  return { ...request, ownCredential, env: coreEnvironment(given) };
}

/** A host that names no scope, such as this machine, gets no token unless one is asked for. */
function sendsTokens(plan: ProviderPlan, options: FoundryProviderOptions): boolean {
  return plan.scope !== undefined || typeof options.tokens === "function";
}

function credentialOf(plan: ProviderPlan, options: FoundryProviderOptions): TokenCredential {
  const { credential } = options;
  const env = options.env ?? environment();
  if (credential === "direct") return directCredential(env, plan.credential.authorityHost);
  return credential ?? defaultCredential(plan.credential, env);
}

function createTokens(plan: ProviderPlan, options: FoundryProviderOptions): TokenProvider {
  const settings = options.tokens as TokenProviderOptions | undefined;
  if (plan.scope !== undefined) {
    const credential = credentialOf(plan, options);
    const tokens = createBearerTokenProvider(credential, plan.scope, settings);
    registerResource(credential, plan.endpoint.baseUrl);
    return tokens;
  }
  const missing = () =>
    new KeylessError("provider/scope", `No token scope is known for ${plan.endpoint.url}`, {
      hint: "Set FOUNDRY_TOKEN_SCOPE or the scope option, such as https://ai.azure.com/.default.",
    });
  if (options.credential) throw missing();
  const refuses: TokenCredential = { getToken: () => Promise.reject(missing()) };
  return createBearerTokenProvider(refuses, "none", settings);
}
