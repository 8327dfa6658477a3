/**
 * A message of the conversation, in one form for all three APIs. Text only: images and files are
 * omitted.
 */
export interface ReplyMessage {
  /** `system` also stands for developer messages and instructions. */
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
  /** The tool calls of an assistant message. */
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  /** The call that a tool message answers. */
  readonly toolCallId?: string;
}

/** A tool that the caller offers. */
export interface ReplyTool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema. */
  readonly parameters?: unknown;
}

/** A request to the emulated model. */
export interface ReplyRequest {
  readonly route: "responses" | "chat-completions" | "messages";
  /** The deployment. */
  readonly model: string;
  /**
   * The last user message, without the `<tag>...</tag>` blocks that the Copilot runtime adds before
   * it.
   */
  readonly prompt: string;
  /** The number of the model's answers in the conversation so far: 0 for its first request. */
  readonly turn: number;
  readonly messages: readonly ReplyMessage[];
  /** The tool messages since the last user message. Empty unless tools have just run. */
  readonly toolResults: readonly ReplyMessage[];
  readonly tools: readonly ReplyTool[];
  /** The headers in lower case, without those that hold a credential. */
  readonly headers: Readonly<Record<string, string>>;
  readonly stream: boolean;
}

/** Tokens that a reply reports. What is left out is estimated: four characters a token. */
export interface ReplyUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Of the input tokens. Default 0. */
  readonly cachedTokens?: number;
  /** Of the output tokens. Default 0. */
  readonly reasoningTokens?: number;
}

/** An answer of the emulated model: text, tool calls, or both. */
export interface Reply {
  readonly text?: string;
  /** `arguments` is an object, or a JSON string, which is sent as it is. */
  readonly toolCalls?: readonly { readonly name: string; readonly arguments?: unknown }[];
  readonly usage?: ReplyUsage;
  /**
   * Why the reply ends. `length`: its limit of output tokens is reached. `content-filter`: the
   * content filter cut it off. Default `stop`.
   */
  readonly finish?: ReplyFinish;
}

/** Why a reply ends. */
export type ReplyFinish = "stop" | "length" | "content-filter";

/** Scripts the emulated model. */
export type ReplyFunction = (request: ReplyRequest) => string | Reply | Promise<string | Reply>;

/** The part of a request that the three APIs share. */
export interface Conversation {
  readonly messages: readonly ReplyMessage[];
  readonly tools: readonly ReplyTool[];
}

const MAX_QUOTE_LENGTH = 200;

/** Quotes the prompt. */
export function defaultReply({ prompt }: ReplyRequest): string {
  const line = prompt.replace(/\s+/g, " ").trim();
  const quote = line.length > MAX_QUOTE_LENGTH ? `${line.slice(0, MAX_QUOTE_LENGTH)}...` : line;
  return `You said: "${quote}". I am the copilot-keyless emulator; this reply came over a keyless request.`;
}

/** Finds the prompt and the tool results of a conversation, and counts its turns. */
export function promptOf({ messages, tools }: Conversation) {
  const lastUser = messages.findLastIndex((message) => message.role === "user");
  return {
    messages,
    tools,
    prompt: withoutContext(messages[lastUser]?.text ?? ""),
    turn: messages.filter(
      (message, i) => message.role === "assistant" && messages[i - 1]?.role !== "assistant",
    ).length,
    toolResults: messages.slice(lastUser + 1).filter((message) => message.role === "tool"),
  };
}

/** Removes leading `<tag>...</tag>` blocks, unless nothing would remain. */
function withoutContext(text: string): string {
  let rest = text.trim();
  for (;;) {
    const tag = /^<([a-z][\w-]*)[^<>]*>/i.exec(rest)?.[1];
    const end = tag === undefined ? -1 : rest.indexOf(`</${tag}>`);
    if (tag === undefined || end < 0) return rest;
    const after = rest.slice(end + tag.length + 3).trim();
    if (after === "") return rest;
    rest = after;
  }
}
