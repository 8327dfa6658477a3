import { Hono } from "hono";
import { cors } from "hono/cors";
import { KeylessError } from "../errors/keyless-error.js";
import { redact } from "../errors/redact.js";
import { type AccessRules, authenticate, refusal } from "./access.js";
import { applyFaults } from "./apply-faults.js";
import { chatCompletionEvents, chatCompletionJson, readChatCompletions } from "./chat-completions.js";
import type { EmulatorClock } from "./clock.js";
import {
  anthropicInvalidRequest,
  type ErrorAnswer,
  invalidRequest,
  missingParameter,
  resourceError,
} from "./errors.js";
import type { FaultQueue } from "./faults.js";
import {
  type AppContext,
  type AppEnv,
  plainHeaders,
  readBody,
  recordRequests,
  refuse,
  send,
} from "./http.js";
import { isObject, type Json, textOf } from "./json.js";
import type { RequestLog } from "./log.js";
import { messageEvents, messageJson, readMessages } from "./messages.js";
import {
  type Answer,
  answer,
  type Conversation,
  promptOf,
  type ReplyFunction,
  type ReplyRequest,
} from "./reply.js";
import { readResponses, responsesEvents, responsesJson } from "./responses.js";
import { OPERATIONS } from "./roles.js";
import { type ServerSentEvent, streamEvents } from "./sse.js";
import { resourceErrorForStatus } from "./status-errors.js";
import type { TokenAuthority } from "./tokens.js";

/** Settings of the resource server. */
export interface FoundrySettings extends AccessRules {
  readonly clock: EmulatorClock;
  readonly log: RequestLog;
  readonly faults: FaultQueue;
  readonly tokens: TokenAuthority;
  readonly deployments: readonly string[];
  readonly reply: ReplyFunction;
  /** Milliseconds. */
  readonly chunkDelayMs: number;
  /** Origins of web pages that may call it. */
  readonly allowOrigins: readonly string[];
}

/** One of the three APIs: checks and reads a request, and formats the answer. */
interface Api {
  problemOf(body: Json, c: AppContext): ErrorAnswer | undefined;
  read(body: Json): Conversation;
  json(answer: Answer, body: Json): Json;
  events(answer: Answer, body: Json): Iterable<ServerSentEvent>;
}

type Route = ReplyRequest["route"];
/** How a route treats `api-version`. */
type Version = "v1" | "legacy" | "any";

const BODY_LIMIT = 20 * 1024 * 1024;
const DATED_VERSION = /^\d{4}-\d{2}-\d{2}(-preview)?$/;
/** Response headers that a web page may read. */
const EXPOSED_HEADERS = ["retry-after", "retry-after-ms", "x-ms-request-id", "apim-request-id"];
const FIRST_RESPONSES_VERSION = "2025-03-01";

const APIS: Record<Route, Api> = {
  responses: {
    problemOf: ({ input, previous_response_id: previous }) => {
      if (input === undefined) return missingParameter("input");
      if (!previous) return undefined;
      // Nothing is stored, as with `store: false`.
      const message = `Previous response with id '${textOf(previous)}' not found.`;
      return invalidRequest(message, "previous_response_not_found", "previous_response_id");
    },
    read: readResponses,
    json: responsesJson,
    events: responsesEvents,
  },
  "chat-completions": {
    problemOf: ({ messages }) => (Array.isArray(messages) ? undefined : missingParameter("messages")),
    read: readChatCompletions,
    json: chatCompletionJson,
    events: chatCompletionEvents,
  },
  messages: {
    problemOf: ({ messages, max_tokens: maxTokens }, c) => {
      if (c.req.header("anthropic-version") === undefined) {
        return anthropicInvalidRequest("anthropic-version: header is required");
      }
      if (maxTokens === undefined) return anthropicInvalidRequest("max_tokens: Field required");
      return Array.isArray(messages) ? undefined : anthropicInvalidRequest("messages: Field required");
    },
    read: readMessages,
    json: messageJson,
    events: messageEvents,
  },
};

/**
 * Creates the resource server: the v1 routes, the same below a project, the dated routes, and
 * Anthropic's.
 */
export function createFoundryApp(settings: FoundrySettings): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(recordRequests("foundry", settings.log));
  if (settings.allowOrigins.length > 0) {
    app.use(cors({ origin: [...settings.allowOrigins], exposeHeaders: EXPOSED_HEADERS }));
  }
  app.use(authenticate(settings.tokens));
  app.use(
    applyFaults({
      server: "foundry",
      queue: settings.faults,
      errorForStatus: (_c, status, retryAfterSeconds) =>
        resourceErrorForStatus(status, {
          retryAfterSeconds,
          ...(settings.audiences[0] === undefined ? {} : { audience: settings.audiences[0] }),
        }),
    }),
  );
  for (const base of ["/openai/v1", "/api/projects/:project/openai/v1"]) {
    app.post(`${base}/responses`, (c) => handle(c, settings, "responses", "v1"));
    app.post(`${base}/chat/completions`, (c) => handle(c, settings, "chat-completions", "v1"));
    app.get(`${base}/models`, (c) => listModels(c, settings));
  }
  app.post("/openai/deployments/:deployment/chat/completions", (c) =>
    handle(c, settings, "chat-completions", "legacy"),
  );
  app.post("/openai/responses", (c) => handle(c, settings, "responses", "legacy"));
  app.post("/anthropic/v1/messages", (c) => handle(c, settings, "messages", "any"));
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
  const refused =
    refusal(c, settings, OPERATIONS[route], inProject(c)) ??
    versionProblem(c.req.query("api-version"), route, version);
  if (refused) return refuse(c, refused);

  const text = await readBody(c.env.incoming, BODY_LIMIT);
  if (text === "too-large") return refuse(c, resourceErrorForStatus(413));
  const body = parse(text);
  if (!body) {
    return refuse(c, invalidRequest("We could not parse the JSON body of your request."));
  }
  const model = c.req.param("deployment") ?? body.model;
  if (typeof model !== "string" || model === "") return refuse(c, missingParameter("model"));
  if (!settings.deployments.includes(model)) return refuse(c, resourceError("deployment-not-found"));
  const api = APIS[route];
  const problem = api.problemOf(body, c);
  if (problem) return refuse(c, problem);

  const stream = body.stream === true;
  const request: ReplyRequest = {
    route,
    model,
    ...promptOf(api.read(body)),
    headers: plainHeaders(c.env.incoming),
    stream,
  };
  const createdAt = Math.floor(settings.clock.now() / 1000);
  const answerData = await answer(settings.reply, request, { createdAt, requestLength: text.length });
  return stream
    ? streamEvents(c, api.events(answerData, body), settings.chunkDelayMs)
    : send(c, 200, api.json(answerData, body));
}

function listModels(c: AppContext, settings: FoundrySettings): Response {
  const refused =
    refusal(c, settings, OPERATIONS.models, inProject(c)) ??
    versionProblem(c.req.query("api-version"), "models", "v1");
  if (refused) return refuse(c, refused);
  const data = settings.deployments.map((id) => ({
    id,
    object: "model",
    created: MODELS_CREATED_AT,
    owned_by: "system",
  }));
  return send(c, 200, { object: "list", data });
}

/** Epoch seconds; an arbitrary date, the same in every run. */
const MODELS_CREATED_AT = 1_754_006_400;

function versionProblem(
  apiVersion: string | undefined,
  route: Route | "models",
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
