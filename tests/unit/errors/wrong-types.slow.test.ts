// Tests arguments from plain JavaScript. Every export of every entry has a row with the allowed
// types of each argument and option. A forbidden type throws a KeylessError that names the
// argument; an allowed one gives a result or a KeylessError.

import { inspect } from "node:util";
import * as index from "copilot-keyless";
import * as functions from "copilot-keyless/azure-functions";
import * as core from "copilot-keyless/core";
import * as direct from "copilot-keyless/direct";
import * as edge from "copilot-keyless/edge";
import * as emulation from "copilot-keyless/emulator";
import * as testing from "copilot-keyless/testing";
import { afterAll, expect, test } from "vitest";
import * as web from "../../../js/web.js";

const { KeylessError } = core;

/** Returns an object that throws on every access. */
const hostile = () => {
  const trap = () => {
    throw new Error("hostile");
  };
  return new Proxy(
    {},
    { get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap },
  );
};

const VALUES: Record<string, () => unknown> = {
  null: () => null,
  "5": () => 5,
  '"x"': () => "x",
  "{}": () => ({}),
  "[]": () => [],
  NaN: () => Number.NaN,
  true: () => true,
  "a function": () => () => {},
  "a symbol": () => Symbol("x"),
  "what cannot be read": hostile,
};

/** The values that an argument's type allows, by name. */
type Kind = readonly (keyof typeof VALUES)[];
const text: Kind = ['"x"'];
const number: Kind = ["5"];
const flag: Kind = ["true"];
const call: Kind = ["a function"];
const object: Kind = ["{}"];
const list: Kind = ["[]"];
const none: Kind = [];
const anything: Kind = Object.keys(VALUES);
const tokens: Kind = ["{}", "a function"];

type Options = Record<string, Kind>;
/** An argument: its name, its allowed values, and its options if it is an object. */
type Parameter = readonly [name: string, kind: Kind, options?: Options];

interface Row {
  /** Valid arguments. */
  good: () => unknown[];
  parameters: readonly Parameter[];
}

const MODEL: Options = {
  model: text,
  deployment: text,
  type: text,
  wireApi: text,
  apiVersion: text,
  headers: object,
};
const FOUNDRY: Options = {
  ...MODEL,
  endpoint: text,
  credential: none,
  scope: text,
  transport: text,
  maxPromptTokens: number,
  maxOutputTokens: number,
  maxContextWindowTokens: number,
  modelCapabilities: object,
  env: object,
  tokens,
};
const SESSION: Options = { client: object, preset: none, session: object, systemMessage: text };
const AGENT: Options = {
  ...FOUNDRY,
  ...SESSION,
  timeoutMs: number,
  stateless: flag,
  deleteHistory: flag,
  resume: text,
  sessions: text,
  keepHistory: flag,
  sessionsPerRuntime: number,
  turnsPerRuntime: number,
  idleMs: number,
  maxConversations: number,
};
const CONVERSATION: Options = {
  id: text,
  resume: text,
  model: text,
  deployment: text,
  provider: none,
  systemMessage: text,
  tools: list,
  reasoningEffort: text,
  metadata: object,
};
const PROVIDER: Options = {
  policy: object,
  clock: none,
  onEvent: call,
  keepFresh: flag,
  tenantId: text,
  enableCae: flag,
};
const FAILED: Options = {
  endpoint: text,
  status: number,
  headers: [...object, ...list],
  body: anything,
  token: text,
  now: number,
  deployment: text,
  wireApi: text,
};

const emulator = await emulation.startEmulator({ chunkDelayMs: 0 });
afterAll(() => emulator.stop());
const { env } = emulator;
const endpoint = env.FOUNDRY_RESOURCE_URL;
const credential = direct.createDirectCredential({ env });
const token = ((await credential.getToken("https://ai.azure.com/.default")) as { token: string }).token;
const options = <T extends object>(more: T = {} as T) => [{ endpoint, env, ...more }];

const foundry = index.createFoundryProvider({ env, credential });
const foundries = index.createFoundryProviders([{ name: "west", env, credential }]);
const provider = index.createBearerTokenProvider(credential, "https://ai.azure.com/.default");
const agent = new index.FoundryAgent({ env, credential, session: { availableTools: [] } });
const conversation = agent.conversation();
const chat = edge.createEdgeChatHandler({ authorize: "anonymous", env, credential });
const gateway = edge.createEdgeGateway({ key: "key-of-the-tests", env, credential });
const handler = functions.createChatHandler({ env, credential });
afterAll(async () => {
  for (const one of [foundry, foundries, provider, chat, gateway]) one.close();
  await agent.close();
  await handler.close();
});
const session = { on: () => () => {}, sessionId: "one", sendAndWait: async () => undefined };

/** The entries, and the objects that their functions return, by name. */
const OWNERS: Record<string, object> = {
  index,
  core,
  direct,
  edge,
  "azure-functions": functions,
  emulator: emulation,
  testing,
  web,
  credential,
  provider,
  foundry,
  foundries,
  agent,
  conversation,
  handler,
  chat,
  gateway,
  handlers: { edge: chat, gateway },
  "emulator.faults": emulator.faults,
  "emulator.replies": emulator.replies,
  "emulator.foundry": emulator.foundry,
};

const NONE: Row = { good: () => [], parameters: [] };
const TURN: Options = {
  signal: none,
  attachments: list,
  timeoutMs: number,
  onEvent: call,
  source: none,
  mode: none,
  agentMode: none,
  displayPrompt: text,
  requestHeaders: object,
};

const CORE: Record<string, Row> = {
  KeylessError: {
    good: () => ["a/code", "A message", {}],
    // An error can always be created.
    parameters: [
      ["code", anything],
      ["message", anything],
      [
        "details",
        anything,
        {
          hint: anything,
          status: anything,
          retryAfterMs: anything,
          retryable: anything,
          cause: anything,
        },
      ],
    ],
  },
  isKeylessError: {
    good: () => [new Error("any"), "token/closed"],
    // Any value may be asked about.
    parameters: [
      ["error", anything],
      ["code", anything],
    ],
  },
  parseEndpoint: {
    good: () => [endpoint, {}],
    parameters: [
      ["url", text],
      ["options", object, { type: text, apiVersion: text, scope: text }],
    ],
  },
  planProvider: {
    good: () => options(),
    parameters: [
      [
        "options",
        object,
        {
          ...MODEL,
          endpoint: text,
          scope: text,
          transport: text,
          maxPromptTokens: number,
          maxOutputTokens: number,
          maxContextWindowTokens: number,
          ownCredential: flag,
          env: object,
        },
      ],
    ],
  },
  parseTokenResponse: {
    good: () => [{ token: "t", expires_in: 60 }, { requestedAt: 1_700_000_000_000 }],
    parameters: [
      ["response", [...text, ...object]],
      ["options", object, { requestedAt: number, utcOffsetMinutes: [...number, "NaN"] }],
    ],
  },
  decodeToken: { good: () => [token], parameters: [["token", text]] },
  parseChallenge: { good: () => ["Bearer"], parameters: [["wwwAuthenticate", [...text, "null"]]] },
  diagnose: { good: () => [{ status: 401 }], parameters: [["options", object, FAILED]] },
  diagnoseCredential: {
    good: () => [{ error: "AADSTS7000222" }],
    parameters: [["options", object, { error: anything, status: number, body: anything, env: object }]],
  },
  checkToken: {
    good: () => [{ token }],
    parameters: [["options", object, { endpoint: text, now: number, token: text }]],
  },
  roleAssignment: {
    good: () => [{ endpoint }],
    parameters: [["options", object, { endpoint: text, token: text }]],
  },
  simulateRefresh: {
    good: () => [{ durationMs: 1_000 }],
    parameters: [
      [
        "scenario",
        object,
        {
          durationMs: number,
          token: object,
          latencyMs: number,
          outages: list,
          calls: object,
          clockSteps: list,
          suspends: list,
          invalidationsMs: list,
          keepFresh: flag,
          instances: number,
          startSpreadMs: number,
          bucketMs: number,
          policy: object,
          strategy: text,
          seed: number,
        },
      ],
    ],
  },
};

const PROVIDERS: Record<string, Row> = {
  createFoundryProvider: { good: () => options({ credential }), parameters: [["options", object, FOUNDRY]] },
  createFoundryProviders: {
    good: () => [[{ name: "west", endpoint, env, credential }]],
    parameters: [["list", none]],
  },
  createBearerTokenProvider: {
    good: () => [credential, "https://ai.azure.com/.default", {}],
    parameters: [
      ["credential", none],
      ["scope", text],
      ["options", object, PROVIDER],
    ],
  },
};

const SOLE: Record<string, Record<string, Row>> = {
  index: {
    ...CORE,
    ...PROVIDERS,
    FoundryAgent: { good: () => options(), parameters: [["options", object, AGENT]] },
    ManagedIdentityCopilotAgent: { good: () => options(), parameters: [["options", object, AGENT]] },
    createClaimsChallengeHandler: {
      good: () => [foundry, {}],
      parameters: [
        ["provider", list],
        ["options", object, { base: none }],
      ],
    },
  },
  core: CORE,
  direct: {
    KeylessError: CORE.KeylessError as Row,
    isKeylessError: CORE.isKeylessError as Row,
    createDirectCredential: {
      good: () => [{ env }],
      parameters: [
        [
          "options",
          object,
          {
            source: text,
            clientId: text,
            objectId: text,
            resourceId: text,
            tenantId: text,
            authorityHost: text,
            assertion: call,
            clientSecret: text,
            timeoutMs: number,
            env: object,
            clock: none,
          },
        ],
      ],
    },
    streamChat: {
      good: () => [{ endpoint, token, prompt: "Hi" }],
      parameters: [
        [
          "options",
          object,
          {
            ...MODEL,
            endpoint: text,
            prompt: text,
            token: text,
            maxOutputTokens: number,
            timeoutMs: number,
            signal: none,
          },
        ],
      ],
    },
    probe: {
      good: () => [{ endpoint, token }],
      parameters: [
        ["options", object, { ...MODEL, endpoint: text, token: text, timeoutMs: number, signal: none }],
      ],
    },
  },
  edge: {
    KeylessError: CORE.KeylessError as Row,
    isKeylessError: CORE.isKeylessError as Row,
    createEdgeChatHandler: {
      good: () => options({ authorize: "anonymous" }),
      parameters: [
        [
          "options",
          object,
          {
            ...MODEL,
            authorize: call,
            endpoint: text,
            models: list,
            credential: none,
            scope: text,
            maxOutputTokens: number,
            timeoutMs: number,
            tokens: object,
            limits: object,
            onLog: call,
            exposeErrors: flag,
            env: object,
          },
        ],
      ],
    },
    createEdgeGateway: {
      good: () => options({ key: "key-of-the-tests" }),
      parameters: [
        [
          "options",
          object,
          {
            key: text,
            endpoint: text,
            credential: none,
            scope: text,
            headers: object,
            tokens: object,
            env: object,
            allowHosts: list,
            allowOrigins: list,
            limits: object,
            onAccess: call,
          },
        ],
      ],
    },
  },
  "azure-functions": {
    createChatHandler: {
      good: () => options(),
      parameters: [
        [
          "options",
          object,
          {
            ...FOUNDRY,
            ...SESSION,
            timeoutMs: number,
            sessionsPerRuntime: number,
            turnsPerRuntime: number,
            models: list,
            limits: object,
            caller: call,
            durable: object,
            conversations: none,
            exposeErrors: flag,
          },
        ],
      ],
    },
    createHealthHandler: { good: () => [handler], parameters: [["chat", none]] },
  },
  emulator: {
    startEmulator: {
      good: () => [{}],
      parameters: [
        [
          "options",
          object,
          {
            port: number,
            identityPort: number,
            tokenLifetimeSeconds: [...number, ...call],
            model: text,
            deployments: list,
            roles: list,
            audiences: list,
            reply: call,
            chunkDelayMs: number,
            allowOrigins: list,
            clock: none,
            logLimit: number,
            platformCache: flag,
            tokenRevocation: flag,
          },
        ],
      ],
    },
  },
  testing: {
    FakeClock: { good: () => [{}], parameters: [["options", object, { now: number }]] },
    withClock: {
      good: () => [new testing.FakeClock(), {}],
      parameters: [
        ["clock", none],
        ["options", object],
      ],
    },
  },
  web: {
    ...CORE,
    ...PROVIDERS,
    FoundryAgent: NONE,
    ManagedIdentityCopilotAgent: NONE,
    createClaimsChallengeHandler: NONE,
  },
  credential: {
    getToken: {
      good: () => ["https://ai.azure.com/.default", {}],
      parameters: [
        ["scopes", [...text, ...list]],
        ["options", object, { abortSignal: none, tenantId: text, claims: text, enableCae: flag }],
      ],
    },
  },
  provider: {
    getToken: {
      good: () => [{}],
      parameters: [["options", object, { abortSignal: none, claims: text, rejectedToken: text }]],
    },
    invalidate: { good: () => ["other"], parameters: [["rejectedToken", text]] },
    refresh: NONE,
    close: NONE,
  },
  foundry: {
    sessionConfig: { good: () => [{}], parameters: [["extra", object]] },
    resumeConfig: { good: () => [{}], parameters: [["extra", object]] },
    staticConfig: NONE,
    tokens: NONE,
    attach: {
      good: () => [session, () => {}],
      parameters: [
        ["session", none],
        ["onFailure", call],
      ],
    },
    watch: {
      good: () => [session, () => {}],
      parameters: [
        ["session", none],
        ["onFailure", call],
      ],
    },
    explain: {
      good: () => [{ statusCode: 401 }, "one"],
      parameters: [
        ["failure", object],
        ["sessionId", text],
      ],
    },
    rotate: { good: () => [session], parameters: [["session", none]] },
    listModels: NONE,
    close: NONE,
  },
  foundries: {
    get: { good: () => ["west"], parameters: [["name", text]] },
    sessionConfig: { good: () => [{}], parameters: [["extra", object, { model: text }]] },
    resumeConfig: { good: () => [{}], parameters: [["extra", object, { model: text }]] },
    staticConfig: NONE,
    explain: {
      good: () => [{ statusCode: 401 }, "one"],
      parameters: [
        ["failure", object],
        ["sessionId", text],
      ],
    },
    rotate: { good: () => [session], parameters: [["session", none]] },
    listModels: NONE,
    attach: {
      good: () => [session, () => {}],
      parameters: [
        ["session", none],
        ["onFailure", call],
      ],
    },
    watch: {
      good: () => [session, () => {}],
      parameters: [
        ["session", none],
        ["onFailure", call],
      ],
    },
    close: NONE,
  },
  agent: {
    chat: {
      good: () => ["Hi", {}],
      parameters: [
        ["prompt", text],
        ["options", object, TURN],
      ],
    },
    stream: {
      good: () => ["Hi", {}],
      parameters: [
        ["prompt", text],
        ["options", object, TURN],
      ],
    },
    turn: {
      good: () => ["Hi", {}],
      parameters: [
        ["prompt", text],
        ["options", object, TURN],
      ],
    },
    conversation: { good: () => [{}], parameters: [["options", object, CONVERSATION]] },
    warmUp: NONE,
    close: NONE,
  },
  conversation: {
    chat: {
      good: () => ["Hi", {}],
      parameters: [
        ["prompt", text],
        ["options", object, TURN],
      ],
    },
    stream: {
      good: () => ["Hi", {}],
      parameters: [
        ["prompt", text],
        ["options", object, TURN],
      ],
    },
    turn: {
      good: () => ["Hi", {}],
      parameters: [
        ["prompt", text],
        ["options", object, TURN],
      ],
    },
    close: { good: () => [{}], parameters: [["options", object, { deleteHistory: flag, forget: flag }]] },
  },
  handler: { status: NONE, close: NONE },
  chat: { tokens: NONE, status: NONE, close: NONE },
  gateway: { tokens: NONE, close: NONE },
  handlers: {
    gateway: { good: () => [new Request("http://edge.example/v1")], parameters: [["request", none]] },
    edge: { good: () => [new Request("http://edge.example/chat")], parameters: [["request", none]] },
  },
  "emulator.faults": {
    add: {
      good: () => [{ server: "identity", kind: "reset" }],
      parameters: [
        [
          "fault",
          none,
          {
            server: text,
            kind: text,
            match: [...text, ...call],
            times: number,
            status: number,
            headers: object,
          },
        ],
      ],
    },
    clear: NONE,
  },
  "emulator.replies": {
    add: {
      good: () => [{ text: "x" }],
      parameters: [["reply", [...text, ...object], { text, times: number }]],
    },
    clear: NONE,
  },
  "emulator.foundry": {
    setRoles: { good: () => [[]], parameters: [["roles", list]] },
    setDeployments: { good: () => [["gpt-5.5"]], parameters: [["deployments", list]] },
    setQuota: {
      good: () => ["gpt-5.5", {}],
      parameters: [
        ["deployment", text],
        ["quota", object, { requestsPerMinute: number, tokensPerMinute: number }],
      ],
    },
  },
};

/** Returns the callable functions of an owner: its own and those of its class. */
function functionsOf(owner: object): string[] {
  const prototype = Object.getPrototypeOf(owner) as object | null;
  const inherited =
    prototype === null || prototype === Object.prototype || prototype === Function.prototype
      ? []
      : Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
  return [...Object.getOwnPropertyNames(owner), ...inherited].filter((name) => {
    return typeof Reflect.get(owner, name) === "function";
  });
}

test("every export, and every function of returned objects, has a row", () => {
  expect(Object.keys(SOLE).toSorted()).toEqual(Object.keys(OWNERS).toSorted());
  for (const [name, owner] of Object.entries(OWNERS))
    expect(Object.keys(SOLE[name] as object).toSorted(), name).toEqual(functionsOf(owner).toSorted());
});

/** Calls a function, and starts a returned stream. Fails if it hangs. */
async function outcome(owner: object, name: string, args: unknown[]): Promise<unknown> {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error("It hangs.")), 20_000).unref();
  });
  const called = (async () => {
    const target = (owner as Record<string, unknown>)[name] as (...args: unknown[]) => unknown;
    const given = /^[A-Z]/.test(name)
      ? new (target as unknown as new (...args: unknown[]) => unknown)(...args)
      : target.apply(owner, args);
    const result = await given;
    const { next } = (result ?? {}) as Partial<AsyncGenerator>;
    if (typeof next === "function") {
      const iterator = result as AsyncGenerator;
      await iterator.next();
      await iterator.return(undefined);
    }
    if (name.startsWith("create") || name.startsWith("start") || name.startsWith("Managed"))
      await ended(result);
    return result;
  })();
  return Promise.race([called, late]);
}

async function ended(result: unknown): Promise<void> {
  const { close, stop } = result as { close?: () => unknown; stop?: () => unknown };
  await (close ?? stop)?.call(result);
}

async function thrown(owner: object, name: string, args: unknown[]): Promise<unknown> {
  return outcome(owner, name, args).then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Expects a KeylessError that names the argument. */
function expectRefused(error: unknown, name: RegExp, what: string): void {
  expect(error, `${what} is accepted`).toBeDefined();
  expect(error, `${what}: ${inspect(error)}`).toBeInstanceOf(KeylessError);
  const { code, message } = error as InstanceType<typeof KeylessError>;
  expect(code, what).toMatch(/^[a-z]+\/[a-z-]+$/);
  expect(message, what).toMatch(name);
}

const ROWS = Object.entries(SOLE).flatMap(([owner, rows]) =>
  Object.entries(rows)
    .filter(([, { parameters }]) => parameters.length > 0)
    .map(([name, row]) => [`${owner}.${name}`, owner, name, row] as const),
);

test.each(ROWS)(
  "what a type forbids is refused, and what it allows works: %s",
  async (_title, ownerName, name, { good, parameters }) => {
    const owner = OWNERS[ownerName] as object;
    for (const [index, [parameter, kind, settings = {}]] of parameters.entries()) {
      for (const [label, value] of Object.entries(VALUES)) {
        const args = good();
        args[index] = value();
        const error = await thrown(owner, name, args);
        const what = `${parameter}: ${label}`;
        if (!kind.includes(label)) expectRefused(error, new RegExp(parameter, "i"), what);
        else if (error !== undefined)
          expect(error, `${what}: ${inspect(error)}`).toBeInstanceOf(KeylessError);
      }
      for (const [option, allowed] of Object.entries(settings)) {
        for (const [label, value] of Object.entries(VALUES)) {
          const args = good();
          args[index] = { ...(args[index] as object), [option]: value() };
          const error = await thrown(owner, name, args);
          const what = `${option}: ${label}`;
          if (!allowed.includes(label)) expectRefused(error, new RegExp(option, "i"), what);
          else if (error !== undefined)
            expect(error, `${what}: ${inspect(error)}`).toBeInstanceOf(KeylessError);
        }
        if (allowed === anything && name === "KeylessError") continue;
        const args = good();
        args[index] = Object.defineProperty({ ...(args[index] as object) }, option, {
          get: () => {
            throw new Error("hostile");
          },
          enumerable: true,
        });
        const names = new RegExp(`${option}|${parameter}`, "i");
        expectRefused(await thrown(owner, name, args), names, `${option}: a getter that throws`);
      }
    }
  },
);
