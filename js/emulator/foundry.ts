import { Hono } from "hono";
import { cors } from "hono/cors";
import { KeylessError } from "../errors/keyless-error.js";
import { redact } from "../errors/redact.js";
import { type AccessRules, authenticate, refusal } from "./access.js";
import { tokensOf } from "./answer.js";
import { applyFaults, type FaultSettings } from "./apply-faults.js";
import { addControl, type ControlSettings } from "./control.js";
import { embed } from "./embeddings.js";
import { anthropicInvalidRequest, type ErrorAnswer, invalidRequest, resourceError } from "./errors.js";
import {
  type AppContext,
  type AppEnv,
  plainHeaders,
  readBody,
  recordRequests,
  refuse,
  send,
} from "./http.js";
import { deploymentOf, infer, type Route } from "./inference.js";
import { isObject, type Json } from "./json.js";
import { datedModelList, deploymentList, modelList, oneModel } from "./models.js";
import { OPERATIONS } from "./roles.js";
import { streamEvents } from "./sse.js";
import { resourceErrorForStatus } from "./status-errors.js";
import type { TokenAuthority } from "./tokens.js";
import { converse, type WebSocketSettings } from "./web-socket.js";

/** Settings of the resource server. */
export interface FoundrySettings
  extends Omit<WebSocketSettings, "faults" | "clock">,
    Pick<AccessRules, "audiences">,
    ControlSettings {
  readonly tokens: TokenAuthority;
  /** Origins of web pages that may call it. */
  readonly allowOrigins: readonly string[];
}

/** How a route treats `api-version`. */
type Version = "v1" | "legacy" | "any";

const BODY_LIMIT = 20 * 1024 * 1024;
const DATED_VERSION = /^\d{4}-\d{2}-\d{2}(-preview)?$/;
/** Response headers that a web page may read. */
const EXPOSED_HEADERS = ["retry-after", "retry-after-ms", "x-ms-request-id", "apim-request-id"];
const FIRST_RESPONSES_VERSION = "2025-03-01";
/**
 * The v1 routes. `/v1` is not Azure's: programs that are given a bare address of this machine append
 * it, as for Foundry Local.
 */
const V1 = ["/openai/v1", "/api/projects/:project/openai/v1", "/v1"];
/** The Anthropic routes, also for programs that are given a bare address. */
const ANTHROPIC = ["/anthropic/v1", "/v1"];

/**
 * Creates the resource server: the v1 routes, the same below a project, the dated routes, and
 * Anthropic's.
 */
export function createFoundryApp(settings: FoundrySettings): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const faults: FaultSettings = {
    server: "foundry",
    queue: settings.faults,
    errorForStatus: (_c, status, retryAfterSeconds) =>
      resourceErrorForStatus(status, {
        retryAfterSeconds,
        ...(settings.audiences[0] === undefined ? {} : { audience: settings.audiences[0] }),
      }),
  };
  addControl(app, settings);
  app.use(recordRequests("foundry", settings.log));
  if (settings.allowOrigins.length > 0) {
    app.use(cors({ origin: [...settings.allowOrigins], exposeHeaders: EXPOSED_HEADERS }));
  }
  app.use(authenticate(settings.tokens));
  app.use(applyFaults(faults));
  for (const base of V1) {
    app.post(`${base}/responses`, (c) => handle(c, settings, "responses", "v1"));
    app.get(`${base}/responses`, (c) => openWebSocket(c, settings, faults));
    app.post(`${base}/chat/completions`, (c) => handle(c, settings, "chat-completions", "v1"));
    app.post(`${base}/embeddings`, (c) => handleEmbeddings(c, settings, "v1"));
    app.get(`${base}/models`, (c) => list(c, settings, "models", "v1", modelList));
    app.get(`${base}/models/:model`, (c) =>
      list(c, settings, "models", "v1", (deployments) => oneModel(deployments, c.req.param("model"))),
    );
  }
  app.post("/openai/deployments/:deployment/chat/completions", (c) =>
    handle(c, settings, "chat-completions", "legacy"),
  );
  app.post("/openai/deployments/:deployment/embeddings", (c) => handleEmbeddings(c, settings, "legacy"));
  app.post("/openai/responses", (c) => handle(c, settings, "responses", "legacy"));
  app.get("/openai/models", (c) => list(c, settings, "models", "legacy", datedModelList));
  app.get("/openai/deployments", (c) => list(c, settings, "deployments", "legacy", deploymentList));
  for (const base of ANTHROPIC) {
    app.post(`${base}/messages`, (c) => handle(c, settings, "messages", "any"));
    app.post(`${base}/messages/count_tokens`, (c) => countTokens(c, settings));
  }
  app.notFound((c) => refuse(c, resourceError("wrong-path")));
  app.onError((error, c) => {
    // An error in the test's reply function is a 400, because clients would retry a 500.
    const code = error instanceof KeylessError ? error.code : "emulator/unexpected";
    return send(c, error instanceof KeylessError ? 400 : 500, {
      error: { code, message: redact(error.message) },
    });
  });
  return app;
}

async function handle(
  c: AppContext,
  settings: FoundrySettings,
  route: Route,
  version: Version,
): Promise<Response> {
  const read = await admitted(c, settings, route, version);
  if ("error" in read) return refuse(c, read.error);
  const { body, length } = read;
  const stream = body.stream === true;
  const outcome = await infer(settings, {
    route,
    body,
    requestLength: length,
    deployment: c.req.param("deployment"),
    headers: plainHeaders(c.env.incoming),
    stream,
    fault: c.get("replyFault"),
  });
  if ("error" in outcome) return refuse(c, outcome.error);
  for (const [name, value] of Object.entries(outcome.headers)) c.header(name, value);
  return stream ? streamEvents(c, outcome.events(), settings.chunkDelayMs) : send(c, 200, outcome.json());
}

async function handleEmbeddings(
  c: AppContext,
  settings: FoundrySettings,
  version: Version,
): Promise<Response> {
  const read = await admitted(c, settings, "embeddings", version);
  if ("error" in read) return refuse(c, read.error);
  const { resource } = settings;
  const deployment = deploymentOf(resource, c.req.param("deployment"), read.body);
  if (typeof deployment !== "string") return refuse(c, deployment.error);
  const embeddings = embed(read.body, deployment);
  if ("error" in embeddings) return refuse(c, embeddings.error);
  const limited = resource.quotas.admit(deployment);
  if (limited) return refuse(c, limited);
  resource.quotas.spend(deployment, embeddings.tokens);
  return send(c, 200, embeddings.json, resource.quotas.headers(deployment));
}

/**
 * `count_tokens` of the Messages API. Anthropic's client for Foundry has it, unlike batches and
 * models: https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/lib/foundry.py
 */
async function countTokens(c: AppContext, settings: FoundrySettings): Promise<Response> {
  const read = await admitted(c, settings, "messages", "any");
  if ("error" in read) return refuse(c, read.error);
  if (c.req.header("anthropic-version") === undefined) {
    return refuse(c, anthropicInvalidRequest("anthropic-version: header is required"));
  }
  const deployment = deploymentOf(settings.resource, undefined, read.body);
  if (typeof deployment !== "string") return refuse(c, deployment.error);
  if (!Array.isArray(read.body.messages)) {
    return refuse(c, anthropicInvalidRequest("messages: Field required"));
  }
  return send(c, 200, { input_tokens: tokensOf(read.length) });
}

/** Checks the caller and the version of a request, and reads its body. */
async function admitted(
  c: AppContext,
  settings: FoundrySettings,
  route: Route | "embeddings",
  version: Version,
): Promise<{ readonly body: Json; readonly length: number } | { readonly error: ErrorAnswer }> {
  const refused =
    refusal(c, rulesOf(settings), OPERATIONS[route], inProject(c)) ??
    versionProblem(c.req.query("api-version"), route, version);
  if (refused) return { error: refused };
  const text = await readBody(c, BODY_LIMIT);
  if (text === "too-large") return { error: resourceErrorForStatus(413) };
  const body = parse(text);
  return body
    ? { body, length: text.length }
    : { error: invalidRequest("We could not parse the JSON body of your request.") };
}

function openWebSocket(c: AppContext, settings: FoundrySettings, faults: FaultSettings): Response {
  const { upgrade } = c.env;
  if (!upgrade) return refuse(c, resourceError("wrong-path"));
  const refused =
    refusal(c, rulesOf(settings), OPERATIONS.responses, inProject(c)) ??
    versionProblem(c.req.query("api-version"), "responses", "v1");
  if (refused) return refuse(c, refused);
  const { clock, resource, reply, log, chunkDelayMs } = settings;
  upgrade.onOpen = (socket) => converse(socket, c, { clock, resource, reply, log, chunkDelayMs, faults });
  return c.body(null);
}

/** Answers with a list of the deployments. */
function list(
  c: AppContext,
  settings: FoundrySettings,
  operation: "models" | "deployments",
  version: Version,
  answer: (deployments: readonly string[], apiVersion: string) => Json | ErrorAnswer,
): Response {
  const apiVersion = c.req.query("api-version");
  const refused =
    refusal(c, rulesOf(settings), OPERATIONS[operation], inProject(c)) ??
    versionProblem(apiVersion, operation, version);
  if (refused) return refuse(c, refused);
  const answered = answer(settings.resource.deployments, apiVersion ?? "");
  return isError(answered) ? refuse(c, answered) : send(c, 200, answered);
}

function isError(answer: Json | ErrorAnswer): answer is ErrorAnswer {
  return typeof answer.status === "number";
}

function rulesOf({ audiences, resource: { roles } }: FoundrySettings): AccessRules {
  return { audiences, roles };
}

function versionProblem(
  apiVersion: string | undefined,
  route: Route | "embeddings" | "models" | "deployments",
  version: Version,
): ErrorAnswer | undefined {
  if (version === "any") return undefined;
  if (version === "v1") return apiVersion === undefined ? undefined : resourceError("api-version");
  // Azure answers 404 for a dated route without a version.
  if (apiVersion === undefined) return resourceError("wrong-path");
  if (!DATED_VERSION.test(apiVersion)) return resourceError("api-version-unsupported");
  return route === "responses" && apiVersion < FIRST_RESPONSES_VERSION
    ? resourceError("api-version-too-old")
    : undefined;
}

function inProject(c: AppContext): boolean {
  return c.req.param("project") !== undefined;
}

function parse(text: string): Json | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}
