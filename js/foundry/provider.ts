import type { CopilotSession, ModelInfo, ProviderConfig } from "@github/copilot-sdk";
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
import { systemClock } from "../platform/clock.js";
import { coreEnvironment, environment } from "../platform/environment.js";
import { cleanText } from "../tokens/clean-token.js";
import { registerResource } from "../tokens/clock-skew.js";
import { createBearerTokenProvider } from "../tokens/provider.js";
import type { TokenProvider, TokenProviderOptions } from "../tokens/types.js";
import { callPlan } from "../wasm/bindings.js";
import type { CredentialPlan, Endpoint, Notice, ProviderPlan } from "../wasm/types/provider.js";
import { modelInfo } from "./list-models.js";
import { type FoundryProviderOptions, foundryChecks } from "./options.js";
import { runtimeError } from "./runtime-error.js";
import { type FailureListener, type ModelCallFailure, SessionAttachments } from "./session-attachments.js";

/**
 * A Copilot SDK provider for one Foundry endpoint: its config, its tokens, and what explains its
 * failures.
 */
export interface FoundryProvider {
  /** The provider's config: pass it as `createSession({ provider })`. */
  readonly config: ProviderConfig;
  readonly model: string;
  readonly endpoint: Endpoint;
  readonly tokens: TokenProvider;
  /** The scope of the tokens, if one is known. */
  readonly scope?: string;
  /** Which credential acquires the tokens, what selected it, and what looks wrong with it. */
  readonly credential: CredentialPlan;
  /**
   * Where each setting comes from: `option`, the name of a variable, or `default`. `proxy`: the
   * variable with the proxy that the Copilot runtime uses for the endpoint, if there is one.
   */
  readonly sources: { endpoint: string; model: string; scope: string; proxy?: string };
  readonly warnings: Notice[];
  /**
   * Adds model and provider to a session's config, for `createSession` and `resumeSession`.
   * Resuming needs them too: the runtime stores no provider with a session, and without one it asks
   * for a GitHub account.
   */
  sessionConfig<T extends object>(extra?: T): T & { model: string; provider: ProviderConfig };
  /** @deprecated Use {@link FoundryProvider.sessionConfig}, which does the same. */
  resumeConfig<T extends object>(extra?: T): T & { model: string; provider: ProviderConfig };
  /**
   * Resolves with the config and a token in place of the callback, for runtimes that cannot call
   * back. The token is not refreshed: see {@link FoundryProvider.rotate}.
   */
  staticConfig(): Promise<ProviderConfig>;
  /**
   * Attaches the provider to a session. When the resource rejects the session's token, the token is
   * invalidated, so that the runtime's own retry gets a new one and the turn succeeds.
   * `session.sendAndWait` rejects with a {@link KeylessError} `model/...` that says why the
   * resource refused, with the runtime's error as its cause. `onFailure` receives every failed
   * request of the session, also those that the runtime retries.
   *
   * Returns a function that detaches. A session that ends is detached by itself.
   *
   * @example
   * ```ts
   * const session = await client.createSession(foundry.sessionConfig());
   * foundry.attach(session, (error) => console.warn(error.code, error.hint));
   * ```
   */
  attach(
    session: CopilotSession,
    onFailure?: (error: KeylessError, event: ModelCallFailure) => void,
  ): () => void;
  /** @deprecated Use {@link FoundryProvider.attach}, the same under another name. */
  watch: FoundryProvider["attach"];
  /**
   * Explains a failed request of a session: code, status, Azure's message and how to fix it,
   * instead of the runtime's advice about API keys. Takes the data of a `model.call_failure` event.
   * With the id of an attached session it also examines the token that was sent.
   */
  explain(failure: ModelCallFailure["data"], sessionId?: string): KeylessError;
  /**
   * Gives a new token to a live session that was created with a static config; its history stays. A
   * running turn keeps the old token. Does nothing to a session with the callback.
   *
   * @throws KeylessError `token/...`, `credential/...`, and `sdk/rotate-failed` if the session is
   * gone
   */
  rotate(session: CopilotSession): Promise<void>;
  /**
   * Lists the provider's model for pickers, from the configuration alone. For the client's
   * `onListModels` option: without it, `client.listModels()` asks GitHub.
   */
  listModels(): ModelInfo[];
  /** Closes the token provider, unless it was passed in. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Creates a Copilot SDK provider for Microsoft Foundry or Azure OpenAI without an API key.
 * Synchronous and without I/O: `@azure/identity` is imported when the first token is needed.
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
  const ownsTokens = typeof options.tokens !== "function";
  const tokens = typeof options.tokens === "function" ? options.tokens : createTokens(plan, options);
  const { modelCapabilities } = options;
  const config: ProviderConfig = { ...plan.config, ...(modelCapabilities ? { modelCapabilities } : {}) };
  // Tokens and errors of a function that was passed in have not been checked yet.
  const acquire = ownsTokens ? tokens : (args?: unknown) => checkedToken(tokens, args);
  const attachments = new SessionAttachments(tokens, {
    endpoint,
    model,
    deployment: plan.config.wireModel ?? model,
    wireApi: plan.config.wireApi,
  });
  if (sendsTokens(plan, options)) {
    config.bearerTokenProvider = (args) => attachments.tokenFor(args?.sessionId, () => acquire(args));
  }

  const withProvider = <T extends object>(extra?: T) => {
    checkOptional("extra", extra, object, "provider/conflict");
    return { ...(extra as T), model, provider: config };
  };
  const staticConfig = async (): Promise<ProviderConfig> => {
    const { bearerTokenProvider, ...rest } = config;
    if (!bearerTokenProvider) return rest;
    const bearerToken = await acquire();
    attachments.noteStaticToken(bearerToken);
    return { ...rest, bearerToken };
  };
  const close = (): void => {
    if (ownsTokens) tokens.close();
  };
  const attach: FoundryProvider["attach"] = (session, onFailure) => {
    checkArgument("session", session, sessionCheck, "provider/conflict");
    checkOptional("onFailure", onFailure, callback, "provider/conflict");
    return attachments.attach(session, quiet(onFailure));
  };
  const provider: FoundryProvider = {
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
    attach,
    watch: attach,
    explain: (failure, sessionId) => {
      checkArgument("failure", failure, object, "diagnosis/invalid");
      checkOptional("sessionId", sessionId, text, "diagnosis/invalid");
      return attachments.explain(failure, sessionId);
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
      attachments.noteStaticToken(provider.bearerToken, session.sessionId);
    },
    listModels: () => [modelInfo({ ...plan.config, id: model, capabilities: modelCapabilities })],
    close,
    [Symbol.dispose]: close,
  };
  attachmentsOf.set(provider, attachments);
  return provider;
}

const attachmentsOf = new WeakMap<FoundryProvider, SessionAttachments>();

/** {@link FoundryProvider.attach} for the failures of some models only. */
export function attachFor(
  provider: FoundryProvider,
  session: CopilotSession,
  onFailure: FailureListener,
  concerns: (failure: ModelCallFailure["data"]) => boolean,
): () => void {
  return attachmentsOf.get(provider)?.attach(session, onFailure, concerns) ?? (() => {});
}

/** Of several providers of a session, the one that was asked for a token last. */
export function lastAsked(
  providers: readonly FoundryProvider[],
  sessionId: string | undefined,
): FoundryProvider | undefined {
  const all = providers.flatMap((one) => attachmentsOf.get(one) ?? []);
  const last = SessionAttachments.lastAsked(all, sessionId);
  return last && providers.find((one) => attachmentsOf.get(one) === last);
}

/**
 * Whether a session has the callback, which an update would remove for good. Only the SDK's own
 * record tells.
 */
export function hasCallback(session: CopilotSession): boolean {
  const { bearerTokenProviders } = session as unknown as { bearerTokenProviders?: unknown };
  return bearerTokenProviders instanceof Map && bearerTokenProviders.size > 0;
}

/**
 * Checks the token of a function that was passed in. The runtime stores error texts on disk, so
 * they must hold no secret.
 */
async function checkedToken(tokens: TokenProvider, args: unknown): Promise<string> {
  try {
    return cleanText(await tokens(args));
  } catch (error) {
    throw credentialFailure(error, systemClock.now()).error;
  }
}

/** Plans the provider from the options and the environment, without a credential. */
function planProvider(options: FoundryProviderOptions): ProviderPlan {
  return callPlan((planner) => planner.planProvider(planRequest(options)));
}

/** The options for the core, and the part of the environment that it may see. */
export function planRequest<T extends FoundryProviderOptions>(
  options: T,
): Omit<T, "credential" | "tokens" | "env" | "modelCapabilities"> & {
  ownCredential: boolean;
  env: Record<string, string>;
} {
  const { credential, tokens, env, modelCapabilities, ...request } = options;
  const ownCredential = (Boolean(credential) && credential !== "direct") || typeof tokens === "function";
  const given = env ?? environment();
  hideSecretsOf(given);
  return { ...request, ownCredential, env: coreEnvironment(given) };
}

/**
 * Whether requests carry a token. A host without a known scope, such as this machine, gets one only
 * if it is asked for.
 */
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
  const credential: TokenCredential = { getToken: () => Promise.reject(missing()) };
  return createBearerTokenProvider(credential, "none", settings);
}
