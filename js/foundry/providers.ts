import type {
  CopilotSession,
  NamedProviderConfig,
  ProviderModelConfig,
  SessionConfig,
  SessionEvent,
  SessionEventHandler,
  SessionEventType,
} from "@github/copilot-sdk";
import {
  list as anyList,
  type Check,
  type Checks,
  callback,
  checkArgument,
  checkOptional,
  object,
  readOptions,
  session as sessionCheck,
  text,
} from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import { callCore, planModule } from "../wasm/bindings.js";
import type { Notice } from "../wasm/provider.js";
import { type FoundryProviderOptions, foundryChecks } from "./options.js";
import { createFoundryProvider, type FoundryProvider, planRequest } from "./provider.js";
import type { ModelCallFailure } from "./session-watch.js";

/** A model of one of several providers; one of `id`, `model` and `deployment` is enough. */
export interface NamedFoundryModel {
  /** The second part of `provider/id`, by which a session selects the model. Default: the model's name. */
  id?: string | undefined;
  /** The well-known model name, such as `gpt-5.5`. Default: the deployment's, else `id`. */
  model?: string | undefined;
  /** The deployment's name where it differs from the model's. */
  deployment?: string | undefined;
  /** A name for people, in lists of models. */
  name?: string | undefined;
  maxPromptTokens?: number | undefined;
  maxContextWindowTokens?: number | undefined;
  maxOutputTokens?: number | undefined;
  /** What the runtime shall believe of the model, such as vision. */
  capabilities?: ProviderModelConfig["capabilities"] | undefined;
}

/** One of several providers: the options of `createFoundryProvider`, a name, and models. */
export interface NamedFoundryProvider extends FoundryProviderOptions {
  /** Up to 64 letters, digits, hyphens, dots and underscores; the first part of `provider/id`. */
  name: string;
  /** The models of this endpoint, in the place of `model` and `deployment`. Default: the one that those or the environment name. */
  models?: readonly (string | NamedFoundryModel)[] | undefined;
}

/** Several Foundry endpoints and models for one session. */
export interface FoundryProviders {
  readonly providers: NamedProviderConfig[];
  readonly models: ProviderModelConfig[];
  /** The first model, as a session selects it: `provider/id`. */
  readonly model: string;
  /** The warnings of all providers. */
  readonly warnings: (Notice & { provider: string })[];
  /** One of the providers, with its tokens, endpoint and sources. */
  get(name: string): FoundryProvider;
  /** A session's config with providers and models filled in, and the first model unless it names another. */
  sessionConfig<T extends SessionExtra>(
    extra?: T,
  ): T & { model: string; providers: NamedProviderConfig[]; models: ProviderModelConfig[] };
  /** As that of each provider; a failed request concerns the one whose model it was. Returns the way to stop. */
  watch(
    session: CopilotSession,
    onFailure?: (error: KeylessError, event: ModelCallFailure) => void,
  ): () => void;
  /** Closes the token providers, except those that were passed in. */
  close(): void;
  [Symbol.dispose](): void;
}

/** What a session's config may hold besides: a single provider excludes several. */
type SessionExtra = { model?: string; provider?: never; providers?: never; models?: never } & Omit<
  Partial<SessionConfig>,
  "model" | "provider" | "providers" | "models"
>;

/** A provider and what is known of it. */
interface Member {
  name: string;
  foundry: FoundryProvider;
  connection: NamedProviderConfig;
  models: ProviderModelConfig[];
}

/** A watched session. */
interface Watched {
  /** The providers that the runtime asked for a token, the last one last. */
  asked: Member[];
  watchers: number;
}

/**
 * Several Foundry endpoints in one session, each with its own scope, cloud, credential and models. A session selects a model as
 * `name/model`, and changes it with `session.setModel`. Providers of the same credential and scope share one token.
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
  const sessions = new Map<string, Watched>();
  const close = (): void => {
    for (const { foundry } of members) foundry.close();
  };
  try {
    for (const options of list)
      members.push(join(readOptions(options, namedChecks(), "provider/conflict"), members, sessions));
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
  /** A model of ours must exist; one without a provider's name is GitHub's, and the runtime's to judge. */
  const checked = (selected: string): string => {
    const [name = ""] = selected.split("/", 1);
    if (ids.includes(selected) || !members.some((one) => one.name === name)) return selected;
    throw new KeylessError("provider/model", `The provider "${name}" has no such model`, {
      hint: `The models are ${ids.join(", ")}.`,
    });
  };
  return {
    providers,
    models,
    model,
    warnings: members.flatMap(({ name, foundry }) =>
      foundry.warnings.map((one) => ({ ...one, provider: name })),
    ),
    get: (name) => find(name).foundry,
    sessionConfig: <T extends SessionExtra>(extra?: T) => {
      checkOptional("extra", extra, object, "provider/conflict");
      const { model: selected = model } = extra ?? {};
      checkArgument("model", selected, text, "provider/model");
      return { ...(extra as T), model: checked(selected), providers, models };
    },
    watch: (session, onFailure) => {
      checkArgument("session", session, sessionCheck, "provider/conflict");
      checkOptional("onFailure", onFailure, callback, "provider/conflict");
      const { sessionId } = session;
      const watched = sessions.get(sessionId) ?? { asked: [], watchers: 0 };
      sessions.set(sessionId, watched);
      watched.watchers += 1;
      const stops = members.map((member) => {
        const concerns = (model?: string) => ownerOf(model, members, watched.asked) === member;
        return member.foundry.watch(seenBy(session, concerns), onFailure);
      });
      let watching = true;
      const stop = () => {
        if (!watching) return;
        watching = false;
        for (const stop of stops) stop();
        watched.watchers -= 1;
        if (watched.watchers === 0) sessions.delete(sessionId);
      };
      stops.push(
        session.on("session.shutdown", ({ agentId }) => {
          if (agentId === undefined) stop();
        }),
      );
      return stop;
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** That there is none, the core says itself. */
const nameCheck: Check = { expected: "a string", fits: (value) => value === null || text.fits(value) };

function namedChecks(): Checks<NamedFoundryProvider> {
  return {
    ...foundryChecks(),
    name: nameCheck,
    models: anyList,
  };
}

/** Makes one of the providers. Its callback notes that a watched session asked it. */
function join(options: NamedFoundryProvider, members: Member[], sessions: Map<string, Watched>): Member {
  const wanted = listedModels(options?.models);
  const taken = members.map(({ name }) => name);
  const planned = callCore(() => planModule().planModels({ ...planRequest(options), models: wanted }, taken));
  const models = planned.map((model, index) => {
    const capabilities = wanted?.[index]?.capabilities;
    return { ...model, ...(capabilities ? { capabilities } : {}) };
  });
  const [first] = models;
  const foundry = createFoundryProvider({
    ...options,
    // The list of models overrules the environment and the path of the endpoint.
    ...(wanted && first ? { model: first.modelId ?? first.id, deployment: first.wireModel ?? first.id } : {}),
  });
  const { type, wireApi, baseUrl, azure, headers, bearerTokenProvider: provide } = foundry.config;
  const member: Member = {
    name: options.name,
    foundry,
    connection: {
      name: options.name,
      ...(type ? { type } : {}),
      ...(wireApi ? { wireApi } : {}),
      baseUrl,
      ...(azure ? { azure } : {}),
      ...(headers ? { headers } : {}),
    },
    models,
  };
  if (provide) {
    member.connection.bearerTokenProvider = (args) => {
      const watched = sessions.get(args?.sessionId);
      if (watched) watched.asked = [...watched.asked.filter((one) => one !== member), member];
      return provide(args);
    };
  }
  return member;
}

/** A text is a model's name. What is no list is for the core to refuse. */
function listedModels(models: NamedFoundryProvider["models"]): readonly NamedFoundryModel[] | undefined {
  if (!Array.isArray(models)) return models as undefined;
  return models.map((model: string | NamedFoundryModel) => (typeof model === "string" ? { model } : model));
}

/** The session as one provider's `watch` sees it: without the failures of other providers' models. */
function seenBy(session: CopilotSession, concerns: (model: string | undefined) => boolean): CopilotSession {
  const on = (type: SessionEventType | SessionEventHandler, handler: SessionEventHandler) =>
    typeof type === "function"
      ? session.on(type)
      : session.on(type, (event: SessionEvent) => {
          if (event.type !== "model.call_failure" || concerns(event.data.model)) handler(event);
        });
  return new Proxy(session, {
    get: (target, key) => (key === "on" ? on : Reflect.get(target, key, target)),
  });
}

/**
 * The provider of a failed request, of which the runtime tells only the model's name on the wire. Where several have such a
 * model, it is the one that was asked for a token last.
 */
function ownerOf(
  model: string | undefined,
  members: readonly Member[],
  asked: readonly Member[],
): Member | undefined {
  const serving = members.filter(({ models }) =>
    models.some(({ id, wireModel }) => (wireModel ?? id) === model),
  );
  if (serving.length === 1) return serving[0];
  return asked.findLast((member) => serving.length === 0 || serving.includes(member));
}

/** The id by which a session selects a model. */
function selection({ provider, id }: ProviderModelConfig): string {
  return `${provider}/${id}`;
}
