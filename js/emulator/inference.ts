import { type Answer, answer, shortened } from "./answer.js";
import { chatCompletionEvents, chatCompletionJson, readChatCompletions } from "./chat-completions.js";
import type { EmulatorClock } from "./clock.js";
import {
  anthropicInvalidRequest,
  type ErrorAnswer,
  invalidRequest,
  missingParameter,
  resourceError,
} from "./errors.js";
import type { ReplyFault } from "./fault-types.js";
import { type Json, textOf } from "./json.js";
import { messageEvents, messageJson, readMessages } from "./messages.js";
import { type Conversation, promptOf, type ReplyFunction, type ReplyRequest } from "./reply.js";
import type { Resource } from "./resource.js";
import { readResponses, responsesEvents, responsesJson } from "./responses.js";
import type { ServerSentEvent } from "./sse.js";
import { failedReply, failing } from "./stream-error.js";

/** An API of the model. */
export type Route = ReplyRequest["route"];

/** One of the three APIs: checks and reads a request, and formats the answer. */
interface Api {
  problemOf(body: Json, headers: Readonly<Record<string, string>>): ErrorAnswer | undefined;
  read(body: Json): Conversation;
  json(answer: Answer, body: Json): Json;
  events(answer: Answer, body: Json): Iterable<ServerSentEvent>;
  /** The limit of output tokens that a request sets. */
  outputLimit(body: Json): unknown;
}

const APIS: Record<Route, Api> = {
  responses: {
    problemOf: ({ input, previous_response_id: previous }) => {
      if (input === undefined) return missingParameter("input");
      // Nothing is stored, as with `store: false`.
      return previous ? previousResponseNotFound(textOf(previous)) : undefined;
    },
    read: readResponses,
    json: responsesJson,
    events: responsesEvents,
    outputLimit: (body) => body.max_output_tokens,
  },
  "chat-completions": {
    problemOf: ({ messages }) => (Array.isArray(messages) ? undefined : missingParameter("messages")),
    read: readChatCompletions,
    json: chatCompletionJson,
    events: chatCompletionEvents,
    outputLimit: (body) => body.max_completion_tokens ?? body.max_tokens,
  },
  messages: {
    problemOf: ({ messages, max_tokens: maxTokens }, headers) => {
      if (headers["anthropic-version"] === undefined) {
        return anthropicInvalidRequest("anthropic-version: header is required");
      }
      if (maxTokens === undefined) return anthropicInvalidRequest("max_tokens: Field required");
      return Array.isArray(messages) ? undefined : anthropicInvalidRequest("messages: Field required");
    },
    read: readMessages,
    json: messageJson,
    events: messageEvents,
    outputLimit: (body) => body.max_tokens,
  },
};

/** The error of a response that is not stored. */
export function previousResponseNotFound(id: string): ErrorAnswer {
  const message = `Previous response with id '${id}' not found.`;
  return invalidRequest(message, "previous_response_not_found", "previous_response_id");
}

/** A request to the model that the resource has let in. */
export interface Call {
  readonly route: Route;
  readonly body: Json;
  /** In characters. */
  readonly requestLength: number;
  /** The deployment in the path, if there is one. */
  readonly deployment?: string | undefined;
  /** Without those that hold a credential. */
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: boolean;
  readonly fault?: ReplyFault | undefined;
}

/** The model's reply, or the error that the resource sends. */
export type Outcome =
  | { readonly error: ErrorAnswer }
  | {
      readonly answer: Answer;
      readonly headers: Readonly<Record<string, string>>;
      json(): Json;
      events(): Iterable<ServerSentEvent>;
    };

/** The model, its deployments and their quotas. */
export interface Model {
  readonly clock: EmulatorClock;
  readonly resource: Resource;
  readonly reply: ReplyFunction;
}

/** Checks the deployment that a request names. */
export function deploymentOf(
  resource: Resource,
  inPath: string | undefined,
  body: Json,
): string | { readonly error: ErrorAnswer } {
  const name = inPath ?? body.model;
  if (typeof name !== "string" || name === "") return { error: missingParameter("model") };
  return resource.deployments.includes(name) ? name : { error: resourceError("deployment-not-found") };
}

/** Answers a request to the model. */
export async function infer({ clock, resource, reply }: Model, call: Call): Promise<Outcome> {
  const { route, body, fault, stream, headers } = call;
  const deployment = deploymentOf(resource, call.deployment, body);
  if (typeof deployment !== "string") return deployment;
  const api = APIS[route];
  const problem = api.problemOf(body, headers) ?? resource.quotas.admit(deployment);
  if (problem) return { error: problem };
  if (fault?.kind === "stream-error" && !stream) return { error: failedReply(fault, route) };
  const request: ReplyRequest = {
    route,
    model: deployment,
    ...promptOf(api.read(body)),
    headers,
    stream,
  };
  const createdAt = Math.floor(clock.now() / 1000);
  const whole = await answer(reply, request, { createdAt, requestLength: call.requestLength });
  const given = fault?.kind === "length" ? shortened(whole, fault.afterWords ?? 3) : whole;
  const limit = api.outputLimit(body);
  const { inputTokens, outputTokens } = given.usage;
  resource.quotas.spend(deployment, inputTokens + (typeof limit === "number" ? limit : outputTokens));
  return {
    answer: given,
    headers: resource.quotas.headers(deployment),
    json: () => api.json(given, body),
    events: () => {
      const events = api.events(given, body);
      return fault?.kind === "stream-error" ? failing(events, fault, route) : events;
    },
  };
}
