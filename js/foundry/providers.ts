import type {
  CopilotSession,
  ModelInfo,
  NamedProviderConfig,
  ProviderModelConfig,
  SessionConfig,
} from "@github/copilot-sdk";
import {
  list as anyList,
  type Check,
  type Checks,
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
import { callPlan } from "../wasm/bindings.js";
import type { Notice } from "../wasm/types/provider.js";
import { modelInfo } from "./list-models.js";
import { type FoundryProviderOptions, foundryChecks } from "./options.js";
import {
  attachFor,
  createFoundryProvider,
  type FoundryProvider,
  hasCallback,
  lastAsked,
  planRequest,
} from "./provider.js";
import type { ModelCallFailure } from "./session-attachments.js";

/** A model of one of several providers. One of `id`, `model` and `deployment` is enough. */
export interface NamedFoundryModel {
  /**
   * The second part of `provider/id`, which selects the model in a session. Default: the model's
   * name.
   */
  id?: string | undefined;
  /** The well-known model name, such as `gpt-5.5`. Default: the deployment's, else `id`. */
  model?: string | undefined;
  /** The deployment's name, if it differs from the model's. */
  deployment?: string | undefined;
  /** A display name. */
  name?: string | undefined;
  maxPromptTokens?: number | undefined;
  maxContextWindowTokens?: number | undefined;
  maxOutputTokens?: number | undefined;
  /** The model's capabilities, such as vision, as the runtime sees them. */
  capabilities?: ProviderModelConfig["capabilities"] | undefined;
}

/** Options of one of several providers: those of `createFoundryProvider`, a name, and models. */
export interface NamedFoundryProvider extends FoundryProviderOptions {
  /** Up to 64 letters, digits, hyphens, dots and underscores; the first part of `provider/id`. */
  name: string;
  /**
   * The models of this endpoint, in place of `model` and `deployment`. Default: the one that those
   * or the environment name.
   */
  models?: readonly (string | NamedFoundryModel)[] | undefined;
}

/** Copilot SDK providers and models for one session. */
export interface FoundryProviders {
  readonly providers: NamedProviderConfig[];
  readonly models: ProviderModelConfig[];
  /** The first model, as a session selects it: `provider/id`. */
  readonly model: string;
  /** The warnings of all providers. */
  readonly warnings: (Notice & { provider: string })[];
  /**
   * One of the providers, with its tokens, endpoint and sources.
   *
   * @throws KeylessError `provider/name`
   */
  get(name: string): FoundryProvider;
  /**
   * Adds providers and models to a session's config, and the first model unless it names another.
   * For `createSession` and `resumeSession`.
   *
   * @throws KeylessError `provider/model`
   */
  sessionConfig<T extends SessionExtra>(
    extra?: T,
  ): T & { model: string; providers: NamedProviderConfig[]; models: ProviderModelConfig[] };
  /** @deprecated Use {@link FoundryProviders.sessionConfig}, which does the same. */
  resumeConfig: FoundryProviders["sessionConfig"];
  /**
   * Resolves with providers that have a token in place of the callback, and their models. For
   * runtimes that cannot call back, and for `session.rpc.provider.add`, which adds providers to a
   * live session and takes no callback. The tokens are not refreshed: see
   * {@link FoundryProviders.rotate}.
   */
  staticConfig(): Promise<{ providers: NamedProviderConfig[]; models: ProviderModelConfig[] }>;
  /**
   * Does nothing to a session with the callbacks, whose tokens are always fresh. The runtime cannot
   * change the tokens of a live session with several providers; resume the session with a new
   * {@link FoundryProviders.staticConfig} instead.
   *
   * @throws KeylessError `sdk/rotate-failed` for a session with static tokens
   */
  rotate(session: CopilotSession): Promise<void>;
  /**
   * Explains a failed request of a session, as {@link FoundryProvider.explain} of the provider whose
   * model it was.
   */
  explain(failure: ModelCallFailure["data"], sessionId?: string): KeylessError;
  /**
   * Lists all models for pickers, by the ids that select them, from the configuration alone. For the
   * client's `onListModels` option: without it, `client.listModels()` asks GitHub.
   */
  listModels(): ModelInfo[];
  /**
   * Attaches the providers to a session, each for the failed requests of its own models; see
   * {@link FoundryProvider.attach}. Returns a function that detaches.
   */
  attach(
    session: CopilotSession,
    onFailure?: (error: KeylessError, event: ModelCallFailure) => void,
  ): () => void;
  /** @deprecated Use {@link FoundryProviders.attach}, the same under another name. */
  watch: FoundryProviders["attach"];
  /** Closes the token providers, except those that were passed in. */
  close(): void;
  [Symbol.dispose](): void;
}

/** The rest of a session's config: a single provider excludes several. */
type SessionExtra = { model?: string; provider?: never; providers?: never; models?: never } & Omit<
  Partial<SessionConfig>,
  "model" | "provider" | "providers" | "models"
>;

/** A provider, its connection and its models. */
interface Member {
  name: string;
  foundry: FoundryProvider;
  connection: NamedProviderConfig;
  models: ProviderModelConfig[];
}

/**
 * Creates providers for several Foundry endpoints in one session, each with its own scope, cloud,
 * credential and models. A session selects a model as `name/model`, and changes it with
 * `session.setModel`. Providers of the same credential and scope share one token.
 *
 * @throws KeylessError `endpoint/...`, `provider/...`, `policy/invalid`
 * @example
 * ```ts
 * const foundry = createFoundryProviders([
 *   { name: "west", endpoint: "https://west.openai.azure.com", models: ["gpt-5.5", "gpt-5.5-mini"] },
 *   { name: "claude", endpoint: "https://myres.services.ai.azure.com/anthropic", models: ["claude-sonnet-4.5"] },
 * ]);
 * const session = await client.createSession(foundry.sessionConfig());
 * await session.setModel("claude/claude-sonnet-4.5");
 * ```
 */
export function createFoundryProviders(list: readonly NamedFoundryProvider[]): FoundryProviders {
  if (!Array.isArray(list) || list.length === 0) {
    throw new KeylessError(
      "provider/conflict",
      "createFoundryProviders needs a list of one provider or more",
      {
        hint: "Pass [{ name, endpoint, models }, ...].",
      },
    );
  }
  const members: Member[] = [];
  const close = (): void => {
    for (const { foundry } of members) foundry.close();
  };
  try {
    for (const options of list)
      members.push(createMember(readOptions(options, namedChecks(), "provider/conflict"), members));
  } catch (error) {
    close();
    throw error;
  }
  const providers = members.map(({ connection }) => connection);
  const models = members.flatMap((member) => member.models);
  const ids = models.map(selection);
  const [model = ""] = ids;

  const find = (name: string): Member => {
    checkArgument("name", name, text, "provider/name");
    const member = members.find((one) => one.name === name);
    if (member) return member;
    const names = members.map((one) => one.name).join(", ");
    throw new KeylessError("provider/name", "There is no provider of that name", {
      hint: `The names are ${names}.`,
    });
  };
  /**
   * Refuses a model that its provider lacks. One without a provider's name is GitHub's; the runtime
   * checks it.
   */
  const checked = (selected: string): string => {
    const [name = ""] = selected.split("/", 1);
    if (ids.includes(selected) || !members.some((one) => one.name === name)) return selected;
    throw new KeylessError("provider/model", `The provider "${name}" has no such model`, {
      hint: `The models are ${ids.join(", ")}.`,
    });
  };
  const attach: FoundryProviders["attach"] = (session, onFailure) => {
    checkArgument("session", session, sessionCheck, "provider/conflict");
    checkOptional("onFailure", onFailure, callback, "provider/conflict");
    const detachers = members.map((member) =>
      attachFor(
        member.foundry,
        session,
        quiet(onFailure),
        ({ model }) => ownerOf(model, members, session.sessionId) === member,
      ),
    );
    return () => {
      for (const detach of detachers) detach();
    };
  };
  const sessionConfig = <T extends SessionExtra>(extra?: T) => {
    checkOptional("extra", extra, object, "provider/conflict");
    const { model: selected = model } = extra ?? {};
    checkArgument("model", selected, text, "provider/model");
    return { ...(extra as T), model: checked(selected), providers, models };
  };
  return {
    providers,
    models,
    model,
    warnings: members.flatMap(({ name, foundry }) =>
      foundry.warnings.map((one) => ({ ...one, provider: name })),
    ),
    get: (name) => find(name).foundry,
    sessionConfig,
    resumeConfig: sessionConfig,
    staticConfig: async () => ({ providers: await Promise.all(members.map(staticConnection)), models }),
    rotate: async (session) => {
      checkArgument("session", session, sessionCheck, "provider/conflict");
      if (!hasCallback(session)) throw notRotated();
    },
    explain: (failure, sessionId) => {
      checkArgument("failure", failure, object, "diagnosis/invalid");
      checkOptional("sessionId", sessionId, text, "diagnosis/invalid");
      const owner = ownerOf(failure.model, members, sessionId) ?? (members[0] as Member);
      return owner.foundry.explain(failure, sessionId);
    },
    listModels: () => models.map((one) => modelInfo({ ...one, id: selection(one) })),
    attach,
    watch: attach,
    close,
    [Symbol.dispose]: close,
  };
}

/** The core refuses a missing name. */
const nameCheck: Check = { expected: "a string", fits: (value) => value === null || text.fits(value) };

function namedChecks(): Checks<NamedFoundryProvider> {
  return {
    ...foundryChecks(),
    name: nameCheck,
    models: anyList,
  };
}

/** Creates one of the providers. */
function createMember(options: NamedFoundryProvider, members: Member[]): Member {
  const { name, models: listed, modelCapabilities, ...rest } = options;
  const wanted = listedModels(listed);
  const taken = members.map(({ name }) => name);
  const planned = callPlan((planner) =>
    planner.planModels({ ...planRequest(options), models: wanted }, taken),
  );
  const models = planned.map((model, index) => {
    const capabilities = wanted?.[index]?.capabilities ?? modelCapabilities;
    return { ...model, ...(capabilities ? { capabilities } : {}) };
  });
  const [first] = models;
  const foundry = createFoundryProvider({
    ...rest,
    modelCapabilities: first?.capabilities ?? modelCapabilities,
    // The list of models takes precedence over the environment and the endpoint's path.
    ...(wanted && first ? { model: first.modelId ?? first.id, deployment: first.wireModel ?? first.id } : {}),
  });
  const { type, wireApi, transport, baseUrl, azure, headers, bearerTokenProvider: provide } = foundry.config;
  const member: Member = {
    name,
    foundry,
    connection: {
      name,
      ...(type ? { type } : {}),
      ...(wireApi ? { wireApi } : {}),
      // The runtime takes it of a named provider, too; the SDK's type lacks it.
      ...(transport ? { transport } : {}),
      baseUrl,
      ...(azure ? { azure } : {}),
      ...(headers ? { headers } : {}),
    },
    models,
  };
  if (provide) member.connection.bearerTokenProvider = provide;
  return member;
}

/** Reads a text as a model's name. The core refuses anything that is not a list. */
function listedModels(models: NamedFoundryProvider["models"]): readonly NamedFoundryModel[] | undefined {
  if (!Array.isArray(models)) return models as undefined;
  return models.map((model: string | NamedFoundryModel) => (typeof model === "string" ? { model } : model));
}

/**
 * The provider of a failed request. The runtime reports only the model's name on the wire; if
 * several providers have such a model, it is the one that was asked for a token last. Undefined for a
 * model of none, if none was asked: it is one of GitHub's.
 */
function ownerOf(
  model: string | undefined,
  members: readonly Member[],
  sessionId: string | undefined,
): Member | undefined {
  const serving = members.filter(({ models }) =>
    models.some(({ id, wireModel }) => (wireModel ?? id) === model),
  );
  const candidates = serving.length === 0 ? members : serving;
  const last = lastAsked(
    candidates.map(({ foundry }) => foundry),
    sessionId,
  );
  return candidates.find(({ foundry }) => foundry === last) ?? serving[0];
}

/** A provider's connection with a token in place of the callback. */
async function staticConnection({ foundry, connection }: Member): Promise<NamedProviderConfig> {
  const { bearerTokenProvider, ...rest } = connection;
  if (!bearerTokenProvider) return rest;
  const { bearerToken } = await foundry.staticConfig();
  return { ...rest, ...(bearerToken === undefined ? {} : { bearerToken }) };
}

function notRotated(): KeylessError {
  return new KeylessError(
    "sdk/rotate-failed",
    "The Copilot runtime cannot change the tokens of a live session with several providers",
    {
      hint: "Disconnect the session and resume it: client.resumeSession(id, { ...config, ...(await foundry.staticConfig()) }). Or use sessionConfig(), whose tokens are refreshed.",
    },
  );
}

/** The id that selects a model in a session. */
function selection({ provider, id }: ProviderModelConfig): string {
  return `${provider}/${id}`;
}
