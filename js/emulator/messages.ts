import { type Answer, pieces } from "./answer.js";
import { newId } from "./ids.js";
import { type Json, objectsOf, textOf } from "./json.js";
import type { Conversation, ReplyMessage } from "./reply.js";
import type { ServerSentEvent } from "./sse.js";

/** Reads a request of the Anthropic Messages API. */
export function readMessages(body: Json): Conversation {
  const messages: ReplyMessage[] = [];
  if (body.system) messages.push({ role: "system", text: contentText(body.system) });
  for (const message of objectsOf(body.messages)) messages.push(...readMessage(message));
  const tools = objectsOf(body.tools).map((tool) => ({
    name: textOf(tool.name),
    description: textOf(tool.description),
    parameters: tool.input_schema,
  }));
  return { messages, tools };
}

/** Splits a user message into its text and its tool results, each as a message of its own. */
function readMessage(message: Json): ReplyMessage[] {
  const blocks = objectsOf(message.content);
  const text = contentText(message.content);
  if (message.role === "assistant") {
    const toolCalls = blocks
      .filter((block) => block.type === "tool_use")
      .map((block) => ({
        id: textOf(block.id),
        name: textOf(block.name),
        arguments: JSON.stringify(block.input ?? {}),
      }));
    return [{ role: "assistant", text, ...(toolCalls.length > 0 ? { toolCalls } : {}) }];
  }
  const results: ReplyMessage[] = blocks
    .filter((block) => block.type === "tool_result")
    .map((block) => ({
      role: "tool",
      text: contentText(block.content),
      toolCallId: textOf(block.tool_use_id),
    }));
  // The text first, so that the results follow the last user message.
  return text === "" && results.length > 0 ? results : [{ role: "user", text }, ...results];
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return objectsOf(content)
    .filter((block) => block.type === "text")
    .map((block) => textOf(block.text))
    .join("");
}

/** Formats the answer as one JSON object. */
export function messageJson(answer: Answer): Json {
  return {
    ...skeleton(answer),
    content: contentBlocks(answer),
    stop_reason: stopReason(answer),
    usage: { ...inputUsage(answer), output_tokens: answer.usage.outputTokens },
  };
}

/** Formats the answer as events of the Messages API. */
export function* messageEvents(answer: Answer): Generator<ServerSentEvent> {
  const event = (type: string, fields: Json, delta?: true): ServerSentEvent => ({
    event: type,
    data: { type, ...fields },
    ...(delta ? { delta } : {}),
  });
  yield event("message_start", {
    message: {
      ...skeleton(answer),
      content: [],
      stop_reason: null,
      usage: { ...inputUsage(answer), output_tokens: 1 },
    },
  });
  for (const [index, block] of contentBlocks(answer).entries()) {
    if (block.type === "text") {
      yield event("content_block_start", { index, content_block: { type: "text", text: "" } });
      for (const text of pieces(answer.text)) {
        yield event("content_block_delta", { index, delta: { type: "text_delta", text } }, true);
      }
    } else {
      yield event("content_block_start", { index, content_block: { ...block, input: {} } });
      const delta = { type: "input_json_delta", partial_json: JSON.stringify(block.input) };
      yield event("content_block_delta", { index, delta }, true);
    }
    yield event("content_block_stop", { index });
  }
  yield event("message_delta", {
    delta: { stop_reason: stopReason(answer), stop_sequence: null },
    usage: { output_tokens: answer.usage.outputTokens },
  });
  yield event("message_stop", {});
}

function skeleton(answer: Answer): Json {
  return { id: newId("msg_"), type: "message", role: "assistant", model: answer.model, stop_sequence: null };
}

/** Of this API, tokens from a cache are not among the input tokens. */
function inputUsage({ usage: { inputTokens, cachedTokens } }: Answer): Json {
  const cached = Math.min(inputTokens, cachedTokens);
  return {
    input_tokens: inputTokens - cached,
    ...(cached > 0 ? { cache_creation_input_tokens: 0, cache_read_input_tokens: cached } : {}),
  };
}

function stopReason(answer: Answer): string {
  if (answer.finish === "length") return "max_tokens";
  if (answer.finish === "content-filter") return "refusal";
  return answer.toolCalls.length > 0 ? "tool_use" : "end_turn";
}

function contentBlocks(answer: Answer): Json[] {
  const calls = answer.toolCalls.map((call) => ({
    type: "tool_use",
    id: call.id.replace("call_", "toolu_"),
    name: call.name,
    input: parsed(call.arguments),
  }));
  return answer.text === "" && calls.length > 0 ? calls : [{ type: "text", text: answer.text }, ...calls];
}

/** Parses arguments, which this API sends as JSON values. Text that is not JSON stays a string. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
