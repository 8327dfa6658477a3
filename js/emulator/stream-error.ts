// Errors in the middle of a reply. Forms and order:
// - Responses: https://github.com/earendil-works/pi/issues/7983 (both events, from a Foundry
//   resource), https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses (`error`).
// - Chat Completions: `tests/tables/streams.json`, "chat: a server error in the middle".
// - Messages: https://docs.anthropic.com/en/docs/build-with-claude/streaming#error-events

import type { ErrorAnswer } from "./errors.js";
import type { StreamErrorFault } from "./fault-types.js";
import { isObject, type Json } from "./json.js";
import type { ReplyRequest } from "./reply.js";
import type { ServerSentEvent } from "./sse.js";

const TOO_MANY_REQUESTS = new Set(["rate_limit_exceeded", "no_capacity"]);

/** Sends the beginning of a stream, then the error. */
export function* failing(
  events: Iterable<ServerSentEvent>,
  fault: StreamErrorFault,
  route: ReplyRequest["route"],
): Generator<ServerSentEvent> {
  let sent = 0;
  let response: Json = {};
  let sequence = 0;
  for (const event of events) {
    if (fault.afterEvents !== undefined && sent >= fault.afterEvents) break;
    sent += 1;
    const { data } = event;
    if (isObject(data)) {
      if (isObject(data.response)) response = data.response;
      if (typeof data.sequence_number === "number") sequence = data.sequence_number + 1;
    }
    yield event;
    if (fault.afterEvents === undefined && event.delta) break;
  }
  yield* errorEvents(fault, route, response, sequence);
}

function* errorEvents(
  fault: StreamErrorFault,
  route: ReplyRequest["route"],
  response: Json,
  sequence: number,
): Generator<ServerSentEvent> {
  if (route === "chat-completions") {
    yield { data: { error: errorOf(fault) } };
    return;
  }
  if (route === "messages") {
    yield { event: "error", data: anthropicError(fault) };
    return;
  }
  const { event = "both" } = fault;
  let number = sequence;
  if (event !== "error") {
    const { code, message } = errorOf(fault);
    const error = event === "both" ? null : { code: code ?? "server_error", message };
    const failed = {
      ...response,
      status: "failed",
      error,
      incomplete_details: null,
      output: [],
      usage: null,
    };
    const data = { type: "response.failed", sequence_number: number++, response: failed };
    yield { event: "response.failed", data };
  }
  if (event !== "response.failed") {
    yield { event: "error", data: { type: "error", sequence_number: number++, error: errorOf(fault) } };
  }
}

/** The error of a reply that is not streamed. */
export function failedReply(fault: StreamErrorFault, route: ReplyRequest["route"]): ErrorAnswer {
  const status = TOO_MANY_REQUESTS.has(fault.code ?? "") ? 429 : 500;
  return { status, body: route === "messages" ? anthropicError(fault) : { error: errorOf(fault) } };
}

function errorOf({ code = "server_error", message }: StreamErrorFault) {
  const many = TOO_MANY_REQUESTS.has(code);
  return {
    message:
      message ??
      (many
        ? "Your requests to the deployment have exceeded rate limit."
        : "The server had an error processing your request. Sorry about that!"),
    type: many ? "too_many_requests" : "server_error",
    param: null,
    code: code === "server_error" ? null : code,
  };
}

function anthropicError({ code, message }: StreamErrorFault): Json {
  const many = TOO_MANY_REQUESTS.has(code ?? "");
  const type = many ? "rate_limit_error" : "overloaded_error";
  return { type: "error", error: { type, message: message ?? (many ? "Rate limited" : "Overloaded") } };
}
