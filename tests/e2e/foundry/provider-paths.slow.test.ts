// Sends the config of createFoundryProvider through the real Copilot runtime to a server that
// accepts only the expected request: every type, API, API version and form of address. Azure's
// hosts are tested twice: over the wire with only the origin of the base URL replaced, and under
// their own names through the runtime's request handler.

import {
  CopilotClient,
  type CopilotRequestContext,
  CopilotRequestHandler,
  type ProviderConfig,
} from "@github/copilot-sdk";
import {
  createFoundryProvider,
  createFoundryProviders,
  type FoundryProviderOptions,
  KeylessError,
} from "copilot-keyless";
import { afterAll, expect, test } from "vitest";
import { temporaryFolder } from "../support.js";
import { Judge, parsed, type SeenRequest, serve } from "./wire.js";

process.env.COPILOT_HOME = temporaryFolder();

const SCOPE = "https://ai.azure.com/.default";
const DATED = "2025-04-01-preview";
const SILENT = {
  streaming: true,
  availableTools: [],
  onPermissionRequest: () => ({ kind: "reject" as const }),
};

type Type = "openai" | "azure" | "anthropic";
type WireApi = "responses" | "completions";

/**
 * A given path, and by type the base URL that the runtime appends the route to; null if the type is
 * rejected.
 */
type Base = string | null;
interface Address {
  given: string;
  openai: Base;
  azure: Base;
  /** The same with an API version; default: as `azure`. */
  dated?: Base;
  anthropic: Base;
  /** The deployment in the path. */
  deployment?: string;
}

/** Whether it is on this machine. */
const LOCAL: Address[] = [
  { given: "", openai: "/v1", azure: "", anthropic: "" },
  { given: "/", openai: "/v1", azure: "", anthropic: "" },
  { given: "/openai", openai: "/openai/v1", azure: "", anthropic: null },
  { given: "/openai/v1", openai: "/openai/v1", azure: "", anthropic: null },
  { given: "/openai/v1/", openai: "/openai/v1", azure: "", anthropic: null },
  { given: "/openai/v1/responses", openai: "/openai/v1", azure: "", anthropic: null },
  { given: "/openai/v1/chat/completions", openai: "/openai/v1", azure: "", anthropic: null },
  { given: "/v1", openai: "/v1", azure: null, anthropic: "" },
  {
    given: "/api/projects/p1",
    openai: "/api/projects/p1/openai/v1",
    azure: "/api/projects/p1",
    dated: null,
    anthropic: null,
  },
  {
    given: "/api/projects/p1/openai/v1/responses",
    openai: "/api/projects/p1/openai/v1",
    azure: "/api/projects/p1",
    dated: null,
    anthropic: null,
  },
  {
    given: "/openai/deployments/dep1/chat/completions?api-version=2024-10-21",
    openai: "/openai/v1",
    azure: "",
    anthropic: null,
    deployment: "dep1",
  },
  { given: "/anthropic", openai: null, azure: null, anthropic: "/anthropic" },
  { given: "/anthropic/", openai: null, azure: null, anthropic: "/anthropic" },
  { given: "/anthropic/v1", openai: null, azure: null, anthropic: "/anthropic" },
  { given: "/anthropic/v1/messages", openai: null, azure: null, anthropic: "/anthropic" },
  { given: "/team/x", openai: "/team/x", azure: "/team/x", anthropic: "/team/x" },
  { given: "/team/x/", openai: "/team/x", azure: "/team/x", anthropic: "/team/x" },
  { given: "/team/x/v1", openai: "/team/x/v1", azure: null, anthropic: "/team/x" },
  { given: "/team/x/openai/v1", openai: "/team/x/openai/v1", azure: "/team/x", anthropic: null },
];

/** Paths of a Foundry or Azure OpenAI resource. */
const RESOURCE: Address[] = LOCAL.filter(({ given }) => /^\/?$|^\/openai/.test(given)).map((address) => ({
  ...address,
  openai: "/openai/v1",
  anthropic: null,
}));
/** For hosts that differ only in their names. */
const PORTAL: Address[] = RESOURCE.filter(({ given }) => given === "/" || given === "/openai/v1");
const FOUNDRY: Address[] = [
  ...RESOURCE.map((address) => ({ ...address, anthropic: "/anthropic" })),
  ...LOCAL.filter(({ given }) => /^\/(api|anthropic)/.test(given)),
];
/** For gateways and custom hosts, whose paths get the v1 route unless they have one. */
const GATEWAY: Address[] = LOCAL.filter(({ given }) => given.startsWith("/team") || given === "").map(
  (address) => ({
    ...address,
    openai: address.given.endsWith("v1") ? address.given : `${address.given.replace(/\/$/, "")}/openai/v1`,
  }),
);

const HOSTS: [origin: string, addresses: Address[]][] = [
  ["https://myres.openai.azure.com", RESOURCE],
  ["https://myres.cognitiveservices.azure.com", PORTAL],
  ["https://myres.openai.azure.us", PORTAL],
  ["https://myres.openai.azure.cn", PORTAL],
  ["https://myres.services.ai.azure.com", FOUNDRY],
  [
    "https://myres.services.ai.azure.us",
    FOUNDRY.filter(({ given }) => given === "/" || given === "/api/projects/p1"),
  ],
  ["https://contoso.azure-api.net", GATEWAY],
  ["https://llm.contoso.com", GATEWAY],
];

interface Row {
  name: string;
  options: FoundryProviderOptions;
  /** Path and query of the request; null if there must be no request. */
  path: string | null;
  /** The model in the body. */
  wire: string;
}

/** The path that the runtime appends to a base URL. */
function route(
  base: string,
  type: Type,
  wireApi: WireApi | undefined,
  apiVersion: string | undefined,
  model: string,
) {
  if (type === "anthropic") return `${base}/v1/messages`;
  const operation = wireApi === "completions" ? "chat/completions" : "responses";
  if (type === "openai") return `${base}/${operation}`;
  if (apiVersion === undefined) return `${base}/openai/v1/${operation}`;
  const deployment = wireApi === "completions" ? `deployments/${model}/` : "";
  return `${base}/openai/${deployment}${operation}?api-version=${apiVersion}`;
}

/** Every combination for an address. */
function combinations(origin: string, address: Address): Row[] {
  const types: [type: Type, apiVersion: string | undefined, base: Base][] = [
    ["openai", undefined, address.openai],
    ["azure", undefined, address.azure],
    ["azure", DATED, address.dated === undefined ? address.azure : address.dated],
    ["anthropic", undefined, address.anthropic],
  ];
  return types.flatMap(([type, apiVersion, base]) => {
    const apis: (WireApi | undefined)[] = type === "anthropic" ? [undefined] : ["responses", "completions"];
    return apis.map((wireApi) => {
      const wire = address.deployment ?? "gpt-5.5";
      const { given } = address;
      return {
        name: [type, apiVersion, wireApi, `${origin}${given}`].filter(Boolean).join(" "),
        options: { endpoint: `${origin}${given}`, model: "gpt-5.5", type, wireApi, apiVersion },
        path: base === null ? null : route(base, type, wireApi, apiVersion, wire),
        wire,
      };
    });
  });
}

const judge = new Judge();
const local = await serve(judge);

/** Responds in place of Azure to a request for Azure's URL. */
class InAzuresPlace extends CopilotRequestHandler {
  protected override async sendRequest(request: Request, context: CopilotRequestContext): Promise<Response> {
    const stream = judge.answer({
      method: request.method,
      url: context.url,
      headers: [...request.headers],
      body: parsed(await request.text()),
    });
    return stream === undefined
      ? Response.json({ error: { message: judge.problems.join("; ") } }, { status: 400 })
      : new Response(stream, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
  }
}

const wired = new CopilotClient({ useLoggedInUser: false });
const named = new CopilotClient({ useLoggedInUser: false, requestHandler: new InAzuresPlace() });
await Promise.all([wired.start(), named.start()]);
afterAll(() => Promise.all([wired.stop(), named.stop()]));

let tokens = 0;

/** Creates a provider with a fixed token. */
function provided(options: FoundryProviderOptions) {
  tokens += 1;
  const token = `token-${tokens}`;
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  return { token, provider: createFoundryProvider({ scope: SCOPE, env: {}, credential, ...options }) };
}

/** Runs one turn in a new session and returns its only request. */
async function turn(
  client: CopilotClient,
  config: { model: string } & Record<string, unknown>,
  expected: Parameters<Judge["expect"]>[0],
): Promise<SeenRequest> {
  judge.expect(expected);
  const session = await client.createSession({ ...SILENT, ...config });
  try {
    const reply = await session.sendAndWait({ prompt: "Hello" }, 20_000).catch((error: Error) => {
      throw new Error([error.message, ...judge.problems].join("\n"));
    });
    expect(reply?.data.content).toBe(judge.reply);
    return judge.verify();
  } finally {
    await session.disconnect();
  }
}

/** Expects an error before any request. */
function refused(options: FoundryProviderOptions): KeylessError {
  try {
    provided(options);
  } catch (error) {
    if (error instanceof KeylessError) return error;
    throw error;
  }
  throw new Error("It was not refused");
}

/** A short name, because Vitest truncates long ones. */
function listed(rows: Row[]): [string, Row][] {
  return rows.map((row) => [row.name, row]);
}

const localRows = LOCAL.flatMap((address) =>
  combinations(local, address).map((row) => ({ ...row, name: row.name.replace(local, "here") })),
);

test("the table holds every combination", () => {
  expect(localRows).toHaveLength(LOCAL.length * 7);
  expect(new Set(localRows.map(({ name }) => name)).size).toBe(localRows.length);
});

test.each(listed(localRows))("%s", async (_, { options, path, wire }) => {
  if (path === null) {
    expect(refused(options)).toMatchObject({ code: "provider/conflict", hint: expect.any(String) });
    return;
  }
  const { provider, token } = provided(options);
  expect(provider.endpoint.kind).toBe("local");
  await turn(wired, provider.sessionConfig(), { url: path, token, model: wire });
});

test.each(
  listed(HOSTS.flatMap(([origin, addresses]) => addresses.flatMap((one) => combinations(origin, one)))),
)("%s", async (_, { options, path, wire }) => {
  if (path === null) {
    expect(refused(options)).toMatchObject({ code: "provider/conflict", hint: expect.any(String) });
    return;
  }
  const { provider, token } = provided(options);
  const { origin } = new URL(options.endpoint as string);
  const config = provider.sessionConfig();
  expect(config.provider.baseUrl.startsWith(`${origin}/`) || config.provider.baseUrl === origin).toBe(true);
  const moved: ProviderConfig = {
    ...config.provider,
    baseUrl: config.provider.baseUrl.replace(origin, local),
  };
  await turn(wired, { ...config, provider: moved }, { url: path, token, model: wire });
  await turn(named, config, { url: `${origin}${path}`, token, model: wire });
});

const CLAUDE = "claude-sonnet-4.5";

/**
 * The well-known name selects the runtime's settings; the request contains the deployment's name.
 */
test.each<[string, FoundryProviderOptions, string, string, string | undefined]>([
  ["model alone", { model: "gpt-5.5" }, "/openai/v1/responses", "gpt-5.5", "medium"],
  ["the same", { model: "gpt-5.5", deployment: "gpt-5.5" }, "/openai/v1/responses", "gpt-5.5", "medium"],
  ["another", { model: "gpt-5.5", deployment: "team" }, "/openai/v1/responses", "team", "medium"],
  ["deployment alone", { deployment: "team" }, "/openai/v1/responses", "team", undefined],
  [
    "another, chat completions",
    { model: "gpt-5.5", deployment: "team", wireApi: "completions" },
    "/openai/v1/chat/completions",
    "team",
    "medium",
  ],
  [
    "another, type azure",
    { model: "gpt-5.5", deployment: "team", type: "azure" },
    "/openai/v1/responses",
    "team",
    "medium",
  ],
  [
    "another, dated: in the path and in the body",
    { model: "gpt-5.5", deployment: "te.a-m_1", apiVersion: DATED, wireApi: "completions" },
    `/openai/deployments/te.a-m_1/chat/completions?api-version=${DATED}`,
    "te.a-m_1",
    "medium",
  ],
  [
    "another, dated responses: in the body only",
    { model: "gpt-5.5", deployment: "team", apiVersion: DATED },
    `/openai/responses?api-version=${DATED}`,
    "team",
    "medium",
  ],
  [
    "an API version too old for responses gets chat completions",
    { model: "gpt-5.5", deployment: "team", apiVersion: "2024-10-21" },
    "/openai/deployments/team/chat/completions?api-version=2024-10-21",
    "team",
    "medium",
  ],
])("deployment and model: %s", async (_, options, url, model, effort) => {
  const { provider, token } = provided({ endpoint: `${local}/openai/v1`, ...options });
  const { body } = await turn(wired, provider.sessionConfig(), { url, token, model });
  const { reasoning, reasoning_effort: alone } = body as {
    reasoning?: { effort?: string };
    reasoning_effort?: string;
  };
  expect(reasoning?.effort ?? alone).toBe(effort);
});

test("deployment and model: another, anthropic", async () => {
  const { provider, token } = provided({ endpoint: `${local}/anthropic`, model: CLAUDE, deployment: "team" });
  const { body } = await turn(wired, provider.sessionConfig(), {
    url: "/anthropic/v1/messages",
    token,
    model: "team",
  });
  expect(body.thinking).toMatchObject({ type: "enabled" });
});

const ROUTES: [string, FoundryProviderOptions, string][] = [
  ["responses", { endpoint: "/openai/v1", model: "gpt-5.5" }, "/openai/v1/responses"],
  [
    "chat completions",
    { endpoint: "/openai/v1", model: "gpt-5.5", wireApi: "completions" },
    "/openai/v1/chat/completions",
  ],
  [
    "dated responses",
    { endpoint: "/openai/v1", model: "gpt-5.5", apiVersion: DATED },
    `/openai/responses?api-version=${DATED}`,
  ],
  ["messages", { endpoint: "/anthropic", model: CLAUDE }, "/anthropic/v1/messages"],
];

test.each(ROUTES)("headers are passed on: %s", async (_, options, url) => {
  const headers = { "X-Request-Source": "a b", "x-team": "seven;eight" };
  const { provider, token } = provided({ ...options, endpoint: `${local}${options.endpoint}`, headers });
  await turn(wired, provider.sessionConfig(), { url, token, model: options.model as string, headers });
});

/** The fields of a body that limit the response. */
function limits({ body }: SeenRequest): object {
  return Object.fromEntries(Object.entries(body).filter(([name]) => /max|limit/.test(name)));
}

test.each(ROUTES)("limits of a single provider stay with the runtime: %s", async (_, options, url) => {
  const request = async (more: FoundryProviderOptions) => {
    const { provider, token } = provided({ ...options, ...more, endpoint: `${local}${options.endpoint}` });
    return turn(wired, provider.sessionConfig(), { url, token, model: options.model as string });
  };
  const without = limits(await request({}));
  expect(without).toEqual(url.endsWith("messages") ? { max_tokens: 8_192 } : {});
  expect(limits(await request({ maxPromptTokens: 50_000, maxOutputTokens: 4_000 }))).toEqual(without);
});

test.each<[string, object]>([
  ["responses", { max_output_tokens: 4_000 }],
  ["chat completions", {}],
  ["dated responses", { max_output_tokens: 4_000 }],
  ["messages", { max_tokens: 4_000 }],
])("limits of one of several providers: %s", async (name, expected) => {
  const [, options, url] = ROUTES.find(([one]) => one === name) as (typeof ROUTES)[number];
  using providers = createFoundryProviders([
    {
      name: "one",
      ...options,
      endpoint: `${local}${options.endpoint}`,
      maxPromptTokens: 50_000,
      maxOutputTokens: 4_000,
      scope: SCOPE,
      env: {},
      credential: {
        getToken: async () => ({ token: "token-of-one", expiresOnTimestamp: Date.now() + 3_600_000 }),
      },
    },
  ]);
  const model = options.model as string;
  const request = await turn(wired, providers.sessionConfig(), { url, token: "token-of-one", model });
  expect(limits(request)).toEqual(expected);
});

test("a prompt limit below the runtime's own prompt ends the turn before any request", async () => {
  const { provider, token } = provided({ endpoint: `${local}/openai/v1`, maxPromptTokens: 1_000 });
  judge.expect({ url: "/none", token, model: "none" });
  const session = await wired.createSession(provider.sessionConfig(SILENT));
  await expect(session.sendAndWait({ prompt: "Hello" }, 20_000)).rejects.toThrow();
  expect(judge.seen).toEqual([]);
  await session.disconnect();
});

const RESOURCE_URL = "https://myres.services.ai.azure.com";

/** Options that a route or type does not support: rejected by name before the provider exists. */
test.each<[object, RegExp, string?]>([
  [{ type: "anthropic", wireApi: "responses" }, /wireApi .*Anthropic/],
  [{ type: "anthropic", wireApi: "completions" }, /wireApi .*Anthropic/],
  [{ type: "anthropic", apiVersion: DATED }, /apiVersion .*"anthropic"/],
  [{ type: "openai", apiVersion: DATED }, /apiVersion .*"openai"/],
  [{ apiVersion: DATED, endpoint: `${RESOURCE_URL}/api/projects/p1` }, /apiVersion .*project/],
  [{ apiVersion: DATED, endpoint: `${RESOURCE_URL}/anthropic` }, /Anthropic/],
  [{ apiVersion: "2024-10-21", wireApi: "responses" }, /wireApi .*apiVersion .*2025-03-01-preview/],
  [{ apiVersion: "latest" }, /apiVersion is "latest"/],
  [{ apiVersion: "preview" }, /apiVersion is "preview"/],
  [{ apiVersion: "v1" }, /apiVersion is "v1"/],
  [{ apiVersion: "" }, /apiVersion is/],
  [{ apiVersion: " 2024-10-21" }, /apiVersion is/],
  [{ apiVersion: "2024-10-21-Preview" }, /apiVersion is/],
  [{ apiVersion: "2024-1-1" }, /apiVersion is/],
  [{ apiVersion: "2024-13-01" }, /apiVersion is/],
  [{ apiVersion: "2024-10-21&x=y" }, /apiVersion is/],
  [{ apiVersion: 20_241_021 }, /^apiVersion must be a string; it is of the type number/],
  [{ apiVersion: new Date(0) }, /^apiVersion must be a string; it is of the type object/],
  [{ type: "bedrock" }, /^type must be one of "openai", "azure", "anthropic"; it is another text/],
  [{ type: "OpenAI" }, /^type must be one of/],
  [{ type: "" }, /^type must be one of/],
  [{ type: 5 }, /^type must be .*; it is of the type number/],
  [{ type: ["openai"] }, /^type must be .*; it is of the type object/],
  [{ wireApi: "chat" }, /^wireApi must be "responses" or "completions"; it is another text/],
  [{ wireApi: true }, /^wireApi must be .*; it is of the type boolean/],
  [{ wireApi: {} }, /^wireApi must be .*; it is of the type object/],
  [{ model: 5 }, /^model must be a string; it is of the type number/],
  [{ deployment: ["a"] }, /^deployment must be a string; it is of the type object/],
  [{ endpoint: 5 }, /^endpoint must be a string; it is of the type number/],
  [{ scope: [SCOPE] }, /^scope must be a string; it is of the type object/],
  [{ headers: "x-team: s3cret" }, /^headers must be an object; it is of the type string/],
  [{ headers: { "x-team": 5 } }, /^headers holds something that must be a string/],
  [{ headers: { "x-team": ["s3cret"] } }, /^headers holds something that must be a string/],
  [{ maxPromptTokens: "1000" }, /^maxPromptTokens must be a number; it is of the type string/],
  [{ maxOutputTokens: 5n }, /^maxOutputTokens must be a number; it is of the type bigint/],
  [{ maxOutputTokens: Number.NaN }, /^maxOutputTokens is/, "provider/limit"],
  [{ deployment: "..", apiVersion: DATED }, /^deployment is/, "provider/model"],
  [{ model: ".." }, /^model is/, "provider/model"],
])("refused: %o", (options, message, code = "provider/conflict") => {
  const error = refused({ endpoint: RESOURCE_URL, ...(options as FoundryProviderOptions) });
  expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.any(String) });
  expect(JSON.stringify(error)).not.toContain("s3cret");
});
