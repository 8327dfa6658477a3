// Tests, by compiling only, what the public types accept and reject.

import { createServer } from "node:http";
import { DefaultAzureCredential, type getBearerTokenProvider } from "@azure/identity";
import {
  type BearerTokenProvider,
  type CopilotClient,
  CopilotRequestHandler,
  type CopilotSession,
  type NamedProviderConfig,
  type ProviderConfig,
  type ProviderModelConfig,
} from "@github/copilot-sdk";
import {
  type AccessToken,
  type AgentPreset,
  type Conversation,
  type ConversationOptions,
  type CredentialPlan,
  createBearerTokenProvider,
  createClaimsChallengeHandler,
  createFoundryProvider,
  createFoundryProviders,
  type DiagnosisCode,
  type Endpoint,
  type ErrorCode,
  FoundryAgent,
  type FoundryProvider,
  KeylessError,
  type ManagedIdentityCopilotAgent,
  type parseChallenge,
  parseEndpoint,
  parseTokenResponse,
  type SystemMessage,
  type TokenEvent,
  type TokenProvider,
  type TurnReply,
  type TurnUsage,
} from "copilot-keyless";
import type { decodeToken } from "copilot-keyless/core";
import { createDirectCredential, type Diagnosis, probe } from "copilot-keyless/direct";
import type { Emulator, startEmulator } from "copilot-keyless/emulator";
import {
  type ChatHandler,
  createChatHandler,
  createHealthHandler,
  toNodeListener,
} from "copilot-keyless/http";
import { type ChatReplyEvent, sendChat } from "copilot-keyless/http-client";
import { FakeClock, withClock } from "copilot-keyless/testing";
import type * as tokens from "copilot-keyless/tokens";

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const scope = "https://ai.azure.com/.default";
const credential = new DefaultAzureCredential();
const provider = createBearerTokenProvider(credential, scope);

same<typeof provider, TokenProvider>(true);
same<typeof tokens.createBearerTokenProvider, typeof createBearerTokenProvider>(true);
same<typeof tokens.createDirectCredential, typeof createDirectCredential>(true);
same<typeof tokens.KeylessError, typeof KeylessError>(true);
same<ReturnType<TokenProvider["refresh"]>, Promise<AccessToken>>(true);
same<Awaited<ReturnType<typeof provider>>, string>(true);
same<ReturnType<typeof provider.getToken>, Promise<AccessToken>>(true);

// Replaces getBearerTokenProvider and the Copilot SDK's callback.
const dropIn: ReturnType<typeof getBearerTokenProvider> = provider;
const callback: BearerTokenProvider = provider;
const config: ProviderConfig = {
  baseUrl: "https://myres.openai.azure.com/openai/v1/",
  bearerTokenProvider: provider,
};
void [dropIn, callback, config];

// Accepts the platform's AbortSignal.
void provider.getToken({ abortSignal: new AbortController().signal });
provider.invalidate();
void provider.getToken({ claims: "{}", rejectedToken: "abc" });
using closing = provider;
void closing;

// @ts-expect-error a credential is needed
createBearerTokenProvider(undefined, scope);
// @ts-expect-error a scope is needed
createBearerTokenProvider(credential);
// @ts-expect-error no such policy field
createBearerTokenProvider(credential, scope, { policy: { retryMs: 1 } });
// @ts-expect-error the status is read-only
provider.status = { state: "fresh", refreshing: false, consecutiveFailures: 0 };

// The type of an event narrows its fields.
const onEvent = (event: TokenEvent): void => {
  if (event.type === "refresh-succeeded") same<typeof event.expiresOn, number>(true);
  // @ts-expect-error only some events have it
  event.expiresOn;
};
createBearerTokenProvider(credential, scope, { onEvent, keepFresh: true, policy: { jitterMs: 0 } });

const foundry = createFoundryProvider({ endpoint: process.env.FOUNDRY_RESOURCE_URL, tokens: provider });
same<typeof foundry.config, ProviderConfig>(true);
const session = foundry.sessionConfig({ streaming: true as const });
same<typeof session.streaming, true>(true);
declare const client: CopilotClient;
void client.createSession(
  foundry.sessionConfig({ onPermissionRequest: () => ({ kind: "reject" as const }) }),
);
void client.resumeSession("id", foundry.sessionConfig({ streaming: true }));
same<Awaited<ReturnType<typeof createClaimsChallengeHandler>>, CopilotRequestHandler>(true);
void createClaimsChallengeHandler([foundry], { base: CopilotRequestHandler });
same<ReturnType<typeof parseChallenge>["claims"], string | undefined>(true);

// @ts-expect-error no such type of provider
createFoundryProvider({ type: "bedrock" });

const several = createFoundryProviders([
  {
    name: "west",
    endpoint: "x",
    models: ["gpt-5.5", { id: "m", model: "gpt-5.5", deployment: "d", maxOutputTokens: 1 }],
  },
  { name: "east", endpoint: process.env.EAST, credential, scope, tokens: provider },
]);
same<typeof several.providers, NamedProviderConfig[]>(true);
same<typeof several.models, ProviderModelConfig[]>(true);
same<ReturnType<typeof several.get>, FoundryProvider>(true);
declare const attached: CopilotSession;
const detach: () => void = several.attach(attached);
same<typeof several.watch, typeof several.attach>(true);
same<typeof foundry.watch, typeof foundry.attach>(true);
using closingAll = several;
void [detach, closingAll];
void client.createSession(
  several.sessionConfig({ model: "east/gpt-5.5", streaming: true, availableTools: [] }),
);
// @ts-expect-error a single provider excludes several
several.sessionConfig({ provider: config });
// @ts-expect-error a name is needed
createFoundryProviders([{ endpoint: "x" }]);
// @ts-expect-error no such field of a model
createFoundryProviders([{ name: "a", models: [{ wireModel: "x" }] }]);

const endpoint: Endpoint = parseEndpoint("myres.openai.azure.com");
same<typeof endpoint.scope, string | undefined>(true);
parseTokenResponse("{}", { requestedAt: 0, utcOffsetMinutes: 60 });
// @ts-expect-error the time of the request is needed
parseTokenResponse("{}");
same<ReturnType<typeof decodeToken>["format"], "jwt" | "opaque">(true);

const agent = new FoundryAgent({ endpoint: "x", client: { logLevel: "none" }, timeoutMs: 1 });
same<ReturnType<typeof agent.chat>, Promise<string>>(true);
const iterable: AsyncIterable<string> = agent.stream("Hello", { signal: AbortSignal.timeout(1) });
const disposable: AsyncDisposable = agent;
void [iterable, disposable];
new FoundryAgent({ stateless: true, deleteHistory: false });
// The name in Azure's guides is an alias, also as a type.
same<ManagedIdentityCopilotAgent, FoundryAgent>(true);
same<typeof ManagedIdentityCopilotAgent, typeof FoundryAgent>(true);
same<ReturnType<typeof agent.conversation>, Conversation>(true);
void agent.conversation().close({ deleteHistory: true });
same<ReturnType<typeof agent.turn>, Promise<TurnReply>>(true);
same<ReturnType<Conversation["stream"]>["reply"], Promise<TurnReply>>(true);
same<TurnReply["model"], string | undefined>(true);
same<TurnUsage["inputTokens"], number>(true);
same<Conversation["id"], string>(true);
const message: SystemMessage = { mode: "replace", content: "Be brief." };
const preset: AgentPreset = "chat";
new FoundryAgent({ preset, systemMessage: message, session: { tools: [] } });
new FoundryAgent({ preset: "coding", systemMessage: "Be brief." });
const settings: ConversationOptions = { model: "gpt-4o", systemMessage: message, tools: [], id: "a" };
void agent.conversation({ ...settings, reasoningEffort: "low", metadata: { user: 1 } });
// @ts-expect-error there is no such preset
new FoundryAgent({ preset: "code" });
// @ts-expect-error there is no such mode
new FoundryAgent({ systemMessage: { mode: "prepend", content: "x" } });
// @ts-expect-error no such option of a conversation
agent.conversation({ modell: "gpt-4o" });
// @ts-expect-error a conversation comes from an agent
new Conversation();

const error = new KeylessError("endpoint/empty", "message", { hint: "hint" });
same<typeof error.hint, string | undefined>(true);
same<typeof error.code, ErrorCode>(true);
// @ts-expect-error there is no such code
new KeylessError("endpoint/emptied", "message");
// Codes are a closed union: a comparison with another text does not compile.
if (error.code === "endpoint/empty" || error.code === "model/missing-role") void error.hint;
// @ts-expect-error there is no such code
if (error.code === "endpoint/none") void error.hint;
same<Diagnosis["code"], DiagnosisCode>(true);

// Objects from withClock are valid options.
createBearerTokenProvider(credential, scope, withClock(new FakeClock(), { keepFresh: true }));
createFoundryProvider({ tokens: withClock(new FakeClock()) });
createDirectCredential(withClock(new FakeClock({ now: 0 }), { timeoutMs: 1 }));
same<ReturnType<typeof startEmulator>, Promise<Emulator>>(true);

// The kinds of a credential are a closed union.
const { credential: plan }: { credential: CredentialPlan } = createFoundryProvider();
const direct: boolean = plan.kind === "managed-identity";
// @ts-expect-error there is no such kind
const wrong: boolean = plan.kind === "managed identity";
void [direct, wrong];

const found: Promise<Diagnosis> = probe({
  endpoint,
  token: { token: "x", expiresOnTimestamp: 0 },
  model: undefined,
});
void found.then(({ status }) => same<typeof status, number | undefined>(true));
// @ts-expect-error the endpoint is needed
void probe({ token: "x" });

// The chat handler takes what a server gives it; the listener is one of node:http.
const chatHandler = createChatHandler({ authorize: async ({ headers }) => headers.get("x-user") ?? false });
same<typeof chatHandler, ChatHandler>(true);
// @ts-expect-error Who may call is not left open.
createChatHandler({});
// @ts-expect-error Conversations are kept by the handler.
createChatHandler({ authorize: "anonymous", stateless: true });
createServer(toNodeListener(chatHandler)).on("request", toNodeListener(createHealthHandler(chatHandler)));
for await (const event of sendChat("/chat", { prompt: "Hi" })) same<typeof event, ChatReplyEvent>(true);
