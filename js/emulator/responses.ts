import { type Answer, pieces } from "./answer.js";
import { newId } from "./ids.js";
import { isObject, type Json, objectsOf, textOf } from "./json.js";
import type { Conversation, ReplyMessage } from "./reply.js";
import type { ServerSentEvent } from "./sse.js";

/** Reads a request of the Responses API. */
export function readResponses(body: Json): Conversation {
  const messages: ReplyMessage[] = [];
  if (body.instructions) messages.push({ role: "system", text: textOf(body.instructions) });
  if (typeof body.input === "string") messages.push({ role: "user", text: body.input });
  for (const item of objectsOf(body.input)) {
    const message = readItem(item);
    if (message) messages.push(message);
  }
  const tools = objectsOf(body.tools)
    .filter((tool) => typeof tool.name === "string")
    .map((tool) => ({
      name: textOf(tool.name),
      description: textOf(tool.description),
      parameters: tool.parameters,
    }));
  return { messages, tools };
}

function readItem(item: Json): ReplyMessage | undefined {
  const type = item.type ?? "message";
  if (type === "function_call") {
    const call = {
      id: textOf(item.call_id),
      name: textOf(item.name),
      arguments: textOf(item.arguments),
    };
    return { role: "assistant", text: "", toolCalls: [call] };
  }
  if (type === "function_call_output") {
    return { role: "tool", text: contentText(item.output), toolCallId: textOf(item.call_id) };
  }
  if (type !== "message") return undefined;
  const role = item.role;
  const text = contentText(item.content);
  if (role === "user" || role === "assistant") return { role, text };
  return { role: "system", text };
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return objectsOf(content)
    .map((part) => textOf(part.text))
    .join("");
}

/** Formats the answer as one JSON object. */
export function responsesJson(answer: Answer, body: Json): Json {
  return completed(skeleton(answer, body), answer, outputItems(answer));
}

/** Formats the answer as events of the Responses API. */
export function* responsesEvents(answer: Answer, body: Json): Generator<ServerSentEvent> {
  const response = skeleton(answer, body);
  const output = outputItems(answer);
  let sequence = 0;
  const event = (type: string, fields: Json, delta?: true): ServerSentEvent => ({
    event: type,
    data: { type, sequence_number: sequence++, ...fields },
    ...(delta ? { delta } : {}),
  });

  yield event("response.created", { response });
  yield event("response.in_progress", { response });
  for (const [index, item] of output.entries()) {
    const at = { item_id: item.id, output_index: index };
    if (item.type === "message") {
      const part = { ...at, content_index: 0 };
      yield event("response.output_item.added", {
        output_index: index,
        item: { ...item, status: "in_progress", content: [] },
      });
      yield event("response.content_part.added", {
        ...part,
        part: { type: "output_text", text: "", annotations: [] },
      });
      for (const delta of pieces(answer.text)) {
        yield event("response.output_text.delta", { ...part, delta, logprobs: [] }, true);
      }
      yield event("response.output_text.done", { ...part, text: answer.text, logprobs: [] });
      yield event("response.content_part.done", { ...part, part: textPart(answer.text) });
    } else {
      yield event("response.output_item.added", {
        output_index: index,
        item: { ...item, status: "in_progress", arguments: "" },
      });
      yield event("response.function_call_arguments.delta", { ...at, delta: item.arguments }, true);
      yield event("response.function_call_arguments.done", {
        ...at,
        name: item.name,
        arguments: item.arguments,
      });
    }
    yield event("response.output_item.done", { output_index: index, item });
  }
  const last = answer.finish === "stop" ? "response.completed" : "response.incomplete";
  yield event(last, { response: completed(response, answer, output) });
}

function skeleton(answer: Answer, body: Json): Json {
  return {
    id: newId("resp_"),
    object: "response",
    created_at: answer.createdAt,
    status: "in_progress",
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: isObject(body.metadata) ? body.metadata : {},
    model: answer.model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    store: false,
    temperature: body.temperature ?? 1,
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: body.top_p ?? 1,
    usage: null,
  };
}

/** Why a response is incomplete. */
const INCOMPLETE = { length: "max_output_tokens", "content-filter": "content_filter" };

function completed(response: Json, { finish, usage }: Answer, output: Json[]): Json {
  const complete = finish === "stop";
  return {
    ...response,
    status: complete ? "completed" : "incomplete",
    incomplete_details: complete ? null : { reason: INCOMPLETE[finish] },
    output,
    usage: {
      input_tokens: usage.inputTokens,
      input_tokens_details: { cached_tokens: usage.cachedTokens },
      output_tokens: usage.outputTokens,
      output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
      total_tokens: usage.inputTokens + usage.outputTokens,
    },
  };
}

function outputItems(answer: Answer): Json[] {
  const calls = answer.toolCalls.map((call) => ({
    id: newId("fc_"),
    type: "function_call",
    status: "completed",
    call_id: call.id,
    name: call.name,
    arguments: call.arguments,
  }));
  if (answer.text === "" && calls.length > 0) return calls;
  const message = {
    id: newId("msg_"),
    type: "message",
    status: answer.finish === "stop" ? "completed" : "incomplete",
    role: "assistant",
    content: [textPart(answer.text)],
  };
  return [message, ...calls];
}

function textPart(text: string): Json {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}
