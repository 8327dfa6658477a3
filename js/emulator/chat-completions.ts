import { type Answer, pieces } from "./answer.js";
import { newId } from "./ids.js";
import { isObject, type Json, objectsOf, textOf } from "./json.js";
import type { Conversation, ReplyMessage } from "./reply.js";
import type { ServerSentEvent } from "./sse.js";

/** Reads a request of the Chat Completions API. */
export function readChatCompletions(body: Json): Conversation {
  const tools = objectsOf(body.tools)
    .map((tool) => tool.function)
    .filter(isObject)
    .map((fn) => ({
      name: textOf(fn.name),
      description: textOf(fn.description),
      parameters: fn.parameters,
    }));
  return { messages: objectsOf(body.messages).map(readMessage), tools };
}

function readMessage(message: Json): ReplyMessage {
  const role = message.role;
  const content = message.content;
  const text =
    typeof content === "string"
      ? content
      : objectsOf(content)
          .map((part) => textOf(part.text))
          .join("");
  if (role === "tool") return { role, text, toolCallId: textOf(message.tool_call_id) };
  if (role === "user") return { role, text };
  if (role !== "assistant") return { role: "system", text };
  const toolCalls = objectsOf(message.tool_calls).map((call) => {
    const fn = isObject(call.function) ? call.function : {};
    return { id: textOf(call.id), name: textOf(fn.name), arguments: textOf(fn.arguments) };
  });
  return { role, text, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}

/** Formats the answer as one JSON object. */
export function chatCompletionJson(answer: Answer): Json {
  const message = {
    role: "assistant",
    content: contentOf(answer),
    refusal: null,
    annotations: [],
    ...(answer.toolCalls.length > 0 ? { tool_calls: answer.toolCalls.map(toolCall) } : {}),
  };
  return {
    id: newId("chatcmpl-"),
    object: "chat.completion",
    created: answer.createdAt,
    model: answer.model,
    system_fingerprint: null,
    prompt_filter_results: PROMPT_FILTER_RESULTS,
    choices: [{ index: 0, message, finish_reason: finishReason(answer), logprobs: null }],
    usage: usageOf(answer),
  };
}

/** Formats the answer as chunks of the Chat Completions API. */
export function* chatCompletionEvents(answer: Answer, body: Json): Generator<ServerSentEvent> {
  const head = {
    id: newId("chatcmpl-"),
    object: "chat.completion.chunk",
    created: answer.createdAt,
    model: answer.model,
    system_fingerprint: null,
  };
  const chunk = (delta: Json, finish: string | null = null) => ({
    ...head,
    choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
  });

  // Azure's streams begin with the content filter's result in a chunk without choices, which some
  // clients do not expect.
  yield {
    data: {
      id: "",
      object: "",
      created: 0,
      model: "",
      choices: [],
      prompt_filter_results: PROMPT_FILTER_RESULTS,
    },
  };
  const content = contentOf(answer);
  yield { data: chunk({ role: "assistant", content: content === null ? null : "", refusal: null }) };
  for (const piece of pieces(answer.text)) yield { data: chunk({ content: piece }), delta: true };
  for (const [index, call] of answer.toolCalls.entries()) {
    const { function: fn, ...rest } = toolCall(call);
    yield { data: chunk({ tool_calls: [{ index, ...rest, function: { ...fn, arguments: "" } }] }) };
    yield {
      data: chunk({ tool_calls: [{ index, function: { arguments: call.arguments } }] }),
      delta: true,
    };
  }
  yield { data: chunk({}, finishReason(answer)) };
  const options = body.stream_options;
  if (isObject(options) && options.include_usage === true) {
    yield { data: { ...head, choices: [], usage: usageOf(answer) } };
  }
  yield { data: "[DONE]" };
}

function contentOf(answer: Answer): string | null {
  return answer.text === "" && answer.toolCalls.length > 0 ? null : answer.text;
}

function finishReason(answer: Answer): string {
  if (answer.finish === "length") return "length";
  if (answer.finish === "content-filter") return "content_filter";
  return answer.toolCalls.length > 0 ? "tool_calls" : "stop";
}

function toolCall(call: Answer["toolCalls"][number]) {
  return { id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } };
}

function usageOf({ usage }: Answer): Json {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

const PROMPT_FILTER_RESULTS = [
  {
    prompt_index: 0,
    content_filter_results: {
      hate: { filtered: false, severity: "safe" },
      self_harm: { filtered: false, severity: "safe" },
      sexual: { filtered: false, severity: "safe" },
      violence: { filtered: false, severity: "safe" },
    },
  },
];
