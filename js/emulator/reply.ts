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
   * The last user message, without the `<tag>...</tag>` blocks that the Copilot runtime and Claude
   * Code add before it. Claude Code also adds messages of such blocks alone, which do not count.
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
  const at = promptIndex(messages);
  const text = messages[at]?.text ?? "";
  return {
    messages,
    tools,
    prompt: withoutContext(text) || text.trim(),
    turn: messages.filter(
      (message, i) => message.role === "assistant" && messages[i - 1]?.role !== "assistant",
    ).length,
    toolResults: messages.slice(at + 1).filter((message) => message.role === "tool"),
  };
}

/**
 * Finds the last user message that is not of blocks alone, among those since the last answer to the
 * user; else the last one. -1 if there is none.
 */
function promptIndex(messages: readonly ReplyMessage[]): number {
  const last = messages.findLastIndex(({ role }) => role === "user");
  for (let at = last; at >= 0; at -= 1) {
    const { role, text, toolCalls } = messages[at] as ReplyMessage;
    if (role === "user" && withoutContext(text) !== "") return at;
    if (role === "assistant" && !toolCalls) return last;
  }
  return last;
}

/** Removes leading `<tag>...</tag>` blocks. */
function withoutContext(text: string): string {
  let rest = text.trim();
  for (;;) {
    const tag = /^<([a-z][\w-]*)[^<>]*>/i.exec(rest)?.[1];
    const end = tag === undefined ? -1 : rest.indexOf(`</${tag}>`);
    if (tag === undefined || end < 0) return rest;
    rest = rest.slice(end + tag.length + 3).trim();
  }
}
